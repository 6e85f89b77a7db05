// The same with messages of a whole record.
import type { Question } from "../support/question.ts";
import { echoQuestion, underTls } from "../support/shapes.ts";

export const question: Question = echoQuestion(
  { name: "tls-echo-64x16k", connections: 64, bytes: 16_384 },
  "Echo under TLS 1.3",
  underTls("tls-echo"),
);
