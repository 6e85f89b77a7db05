// What the channels of node:diagnostics_channel cost: while nobody subscribes, beside a program without their code, and while
// somebody does. Small messages, of which most of the processor's time is not the kernel's copying.
import type { Question } from "../support/question.ts";
import { echoQuestion } from "../support/shapes.ts";

export const question: Question = echoQuestion(
  { name: "watching", connections: 64, bytes: 64 },
  "Echo and the diagnostics channels",
  [
    { label: "nobody subscribes", peer: "berkeley", job: "echo-into" },
    { label: "channels taken out", peer: "berkeley", job: "echo-unwatched" },
    { label: "berkeley:close subscribed", peer: "berkeley", job: "echo-watched-close" },
    { label: "berkeley:bytes subscribed", peer: "berkeley", job: "echo-watched-bytes" },
  ],
);
