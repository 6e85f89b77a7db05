// What does other work on the server's event loop feel of small messages on 64 connections?
import type { Question } from "../support/question.ts";
import { delayQuestion } from "../support/shapes.ts";

export const question: Question = delayQuestion({ name: "delay-64x64", connections: 64, bytes: 64 });
