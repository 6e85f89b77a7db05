// How fast can one connection under TLS be read?
import type { Question } from "../support/question.ts";
import { streamQuestion, underTls } from "../support/shapes.ts";

export const question: Question = streamQuestion(
  "tls-receive",
  "receive",
  "One-way stream under TLS 1.3",
  underTls("tls-receive"),
);
