// Larger messages: what allocating and copying their bytes costs.
import type { Question } from "../support/question.ts";
import { echoQuestion } from "../support/shapes.ts";

export const question: Question = echoQuestion({ name: "echo-64x16k", connections: 64, bytes: 16_384 });
