// The same in batches: recvmmsg, with each datagram's bytes and sender looked at. node:dgram and Bun have the one way that
// they have (Bun's is recvmmsg inside).
import { datagramQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = datagramQuestion(
  "udp-receive-batch",
  "UDP, receive in batches, 1200 B",
  "receive",
  [
    { label: "Berkeley recvmmsg", peer: "berkeley", job: "udp-receive-batch" },
    { label: "node:dgram", peer: "node-net", job: "udp-receive" },
    { label: "C recvmmsg", peer: "c", job: "udp-receive-batch" },
    { label: "Bun", peer: "bun", job: "udp-receive" },
  ],
);
