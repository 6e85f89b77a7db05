// What an idle connection costs the server's process: growth of its resident memory over 10,000 of them,
// each having exchanged one byte and waiting in its next receive. The kernel's own memory is not in it.
import { withIdle } from "../support/load.ts";
import { everyone, type Question } from "../support/question.ts";

const CONNECTIONS = 10_000;
// Opened and closed first, so that code and pools which the first connections bring are not counted.
const CONNECTIONS_BEFORE = 500;

export const question: Question = {
  name: "idle-memory",
  title: "Memory per idle connection, 10,000 connections",
  columns: [{ key: "bytesEach", title: "bytes/connection", better: "less" }],
  contestants: everyone("idle"),
  async measure(server) {
    await withIdle(server, CONNECTIONS_BEFORE, () => server.residentBytes());
    const before = await server.residentBytes();
    const after = await withIdle(server, CONNECTIONS, () => server.residentBytes());
    return { bytesEach: (after - before) / CONNECTIONS };
  },
};
