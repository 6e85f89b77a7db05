// What it costs to be taken for a net.Socket: the same echo over toDuplex(), over the stream beneath, and over node:net.
import type { Question } from "../support/question.ts";
import { adapted, echoQuestion } from "../support/shapes.ts";

export const question: Question = echoQuestion(
  { name: "duplex-64x16k", connections: 64, bytes: 16384 },
  "Echo through Node's Duplex",
  adapted,
);
