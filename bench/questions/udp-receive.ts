// How many datagrams of 1200 bytes a second, one await, event or call for each, with its sender. The generator sends with
// GSO and offers more than any of them takes; what there is no room for, the kernel drops.
import { datagramQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = datagramQuestion(
  "udp-receive",
  "UDP, receive datagram by datagram, 1200 B",
  "receive",
  [
    { label: "Berkeley recvfrom_into", peer: "berkeley", job: "udp-receive-into" },
    { label: "Berkeley recvfrom", peer: "berkeley", job: "udp-receive" },
    { label: "node:dgram", peer: "node-net", job: "udp-receive" },
    { label: "C recvfrom", peer: "c", job: "udp-receive" },
    { label: "Bun", peer: "bun", job: "udp-receive" },
    { label: "Deno", peer: "deno", job: "udp-receive" },
  ],
);
