// How many requests with 1 MiB of content a second one server reads, on 16 connections.
import { httpQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = httpQuestion(
  "http-upload",
  "HTTP, requests of 1 MiB, 16 connections",
  "/upload",
  "upload",
);
