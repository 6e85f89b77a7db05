// How many small requests a second one Hono application answers, unmodified, on us and on @hono/node-server.
import { httpQuestion } from "../support/shapes.ts";
import type { Question } from "../support/question.ts";

export const question: Question = httpQuestion(
  "http-hono",
  'HTTP, "hello" by a Hono application, 64 connections',
  "/",
  "report",
  [
    { label: "Berkeley, light globals", peer: "berkeley", job: "http-hono-light" },
    { label: "Berkeley", peer: "berkeley", job: "http-hono" },
    { label: "@hono/node-server", peer: "node-net", job: "http-hono" },
    { label: "Bun.serve", peer: "bun", job: "http-hono" },
  ],
);
