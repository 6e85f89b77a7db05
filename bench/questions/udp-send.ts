// How many datagrams of 1200 bytes a second one sends, a call for each, to a program that takes them all with GRO. On
// loopback the sender's core also does the kernel's part of the receiving.
import { datagramQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = datagramQuestion(
  "udp-send",
  "UDP, send datagram by datagram, 1200 B",
  "send",
  [
    { label: "Berkeley send", peer: "berkeley", job: "udp-send" },
    { label: "node:dgram", peer: "node-net", job: "udp-send" },
    { label: "C send", peer: "c", job: "udp-send" },
    { label: "Bun send", peer: "bun", job: "udp-send" },
    { label: "Deno", peer: "deno", job: "udp-send" },
  ],
);
