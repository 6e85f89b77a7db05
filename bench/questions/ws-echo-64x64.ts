// How many messages of 64 bytes a second one server of WebSockets sends back, on 64 connections, one under way on each.
import { runLoad } from "../support/load.ts";
import { loadBusyColumn, type Question } from "../support/question.ts";

export const question: Question = {
  name: "ws-echo-64x64",
  title: "WebSocket echo, 64 connections × 64 B",
  columns: [
    { key: "perSecond", title: "messages/s", better: "more" },
    { key: "processorUs", title: "CPU µs/message", better: "less" },
    { key: "p50Us", title: "p50 µs", better: "less" },
    { key: "p99Us", title: "p99 µs", better: "less" },
    loadBusyColumn,
  ],
  contestants: [
    { label: "Berkeley each", peer: "berkeley", job: "ws-echo" },
    { label: "Berkeley for await", peer: "berkeley", job: "ws-echo-pull" },
    { label: "ws", peer: "node-net", job: "ws-echo" },
    { label: "Bun", peer: "bun", job: "ws-echo" },
  ],
  async measure(server, conditions) {
    const result = await runLoad(server, { mode: "ws-pingpong", connections: 64, bytes: 64, ...conditions });
    return {
      perSecond: result.count / result.seconds,
      processorUs: (result.serverSeconds / result.count) * 1e6,
      p50Us: result.latencyUs.p50,
      p99Us: result.latencyUs.p99,
      loadBusyPercent: (result.loadSeconds / result.seconds) * 100,
    };
  },
};
