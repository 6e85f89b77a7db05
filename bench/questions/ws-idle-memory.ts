// What an idle WebSocket costs the server's process, as in idle-memory: each has echoed one message.
import { withIdle } from "../support/load.ts";
import type { Question } from "../support/question.ts";

const CONNECTIONS = 10_000;
const CONNECTIONS_BEFORE = 500;

export const question: Question = {
  name: "ws-idle-memory",
  title: "Memory per idle WebSocket, 10,000 connections",
  columns: [{ key: "bytesEach", title: "bytes/connection", better: "less" }],
  contestants: [
    { label: "Berkeley", peer: "berkeley", job: "ws-idle" },
    { label: "ws", peer: "node-net", job: "ws-idle" },
    { label: "Bun", peer: "bun", job: "ws-idle" },
  ],
  async measure(server) {
    await withIdle(server, CONNECTIONS_BEFORE, () => server.residentBytes(), "ws-idle");
    const before = await server.residentBytes();
    const after = await withIdle(server, CONNECTIONS, () => server.residentBytes(), "ws-idle");
    return { bytesEach: (after - before) / CONNECTIONS };
  },
};
