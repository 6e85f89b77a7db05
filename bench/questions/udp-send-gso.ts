// The same with UDP_SEGMENT: the program adds datagram after datagram all the same, and those that follow each other go to
// the kernel in one piece. node:dgram and Bun have no such way.
import { datagramQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = datagramQuestion(
  "udp-send-gso",
  "UDP, send in batches with GSO, 1200 B",
  "send",
  [
    { label: "Berkeley sendmmsg, GSO", peer: "berkeley", job: "udp-send-gso" },
    { label: "node:dgram", peer: "node-net", job: "udp-send" },
    { label: "C sendmmsg, GSO", peer: "c", job: "udp-send-gso" },
    { label: "Bun sendMany", peer: "bun", job: "udp-send-batch" },
  ],
);
