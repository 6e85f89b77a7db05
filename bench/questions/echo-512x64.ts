// Small messages on many connections: does a message cost more when more of them are ready?
import type { Question } from "../support/question.ts";
import { echoQuestion } from "../support/shapes.ts";

export const question: Question = echoQuestion({ name: "echo-512x64", connections: 512, bytes: 64 });
