// How fast can one connection be read? The bytes are thrown away.
import type { Question } from "../support/question.ts";
import { streamQuestion } from "../support/shapes.ts";

export const question: Question = streamQuestion("stream-receive", "receive");
