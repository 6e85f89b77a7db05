// The same with UDP_GRO: the kernel hands over what came in a row in one piece, which is taken apart into datagrams.
// node:dgram and Bun have no such way.
import { datagramQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = datagramQuestion(
  "udp-receive-gro",
  "UDP, receive in batches with GRO, 1200 B",
  "receive",
  [
    { label: "Berkeley recvmmsg, GRO", peer: "berkeley", job: "udp-receive-gro" },
    { label: "node:dgram", peer: "node-net", job: "udp-receive" },
    { label: "C recvmmsg, GRO", peer: "c", job: "udp-receive-gro" },
    { label: "Bun", peer: "bun", job: "udp-receive" },
  ],
);
