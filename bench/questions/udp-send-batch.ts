// The same in batches of 64: each datagram is added to a batch, and sendmmsg sends them. node:dgram has
// send() alone, Bun sendMany.
import { datagramQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = datagramQuestion("udp-send-batch", "UDP, send in batches, 1200 B", "send", [
  { label: "Berkeley sendmmsg", peer: "berkeley", job: "udp-send-batch" },
  { label: "node:dgram", peer: "node-net", job: "udp-send" },
  { label: "C sendmmsg", peer: "c", job: "udp-send-batch" },
  { label: "Bun sendMany", peer: "bun", job: "udp-send-batch" },
]);
