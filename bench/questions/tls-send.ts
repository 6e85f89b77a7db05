// How fast can one connection under TLS be written?
import type { Question } from "../support/question.ts";
import { streamQuestion, underTls } from "../support/shapes.ts";

export const question: Question = streamQuestion(
  "tls-send",
  "send",
  "One-way stream under TLS 1.3",
  underTls("tls-send"),
);
