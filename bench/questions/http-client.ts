// How many small requests a second one client makes, 64 under way at a time, each on a kept connection of its own.
import { askedBy } from "../support/http-client.ts";
import { loadBusyColumn, type Question } from "../support/question.ts";

export const question: Question = {
  name: "http-client",
  title: 'HTTP client, GET "hello", 64 connections',
  columns: [
    { key: "perSecond", title: "requests/s", better: "more" },
    { key: "processorUs", title: "CPU µs/request", better: "less" },
    loadBusyColumn,
  ],
  contestants: [
    { label: "Berkeley request", peer: "berkeley", job: "http-client" },
    { label: "Berkeley fetch", peer: "berkeley", job: "http-client-fetch" },
    { label: "undici request", peer: "node-net", job: "http-client" },
    { label: "node:http Agent", peer: "node-net", job: "http-client-agent" },
    { label: "Node fetch", peer: "node-net", job: "http-client-fetch" },
    { label: "Bun fetch", peer: "bun", job: "http-client-fetch" },
    { label: "Deno fetch", peer: "deno", job: "http-client-fetch" },
  ],
  measure: askedBy,
};
