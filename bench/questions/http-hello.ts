// How many small requests a second one server answers, on 64 connections, one request at a time on each.
import { httpQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = httpQuestion("http-hello", 'HTTP, "hello", 64 connections', "/", "report");
