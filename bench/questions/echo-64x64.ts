// Small messages on some connections: what one message costs when several are ready at a time.
import type { Question } from "../support/question.ts";
import { echoQuestion } from "../support/shapes.ts";

export const question: Question = echoQuestion({ name: "echo-64x64", connections: 64, bytes: 64 });
