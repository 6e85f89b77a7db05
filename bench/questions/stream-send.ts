// How fast can one connection be written? The same chunk again and again, waiting where the kernel is full.
import type { Question } from "../support/question.ts";
import { streamQuestion } from "../support/shapes.ts";

export const question: Question = streamQuestion("stream-send", "send");
