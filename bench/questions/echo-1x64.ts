// One conversation alone: what one round trip through one server takes. Mostly the kernel's waking up.
import type { Question } from "../support/question.ts";
import { echoQuestion } from "../support/shapes.ts";

export const question: Question = echoQuestion({ name: "echo-1x64", connections: 1, bytes: 64 });
