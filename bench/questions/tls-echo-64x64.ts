// What TLS costs a small message: the descriptor handed to Node, the stream wrapped, and node:tls.
import type { Question } from "../support/question.ts";
import { echoQuestion, underTls } from "../support/shapes.ts";

export const question: Question = echoQuestion(
  { name: "tls-echo-64x64", connections: 64, bytes: 64 },
  "Echo under TLS 1.3",
  underTls("tls-echo"),
);
