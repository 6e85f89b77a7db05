// How many answers of 1 MiB a second one server gives, on 16 connections.
import { httpQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = httpQuestion(
  "http-download",
  "HTTP, answers of 1 MiB, 16 connections",
  "/large",
  "report",
);
