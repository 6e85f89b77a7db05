// How many messages of 1 KiB a second one server gives 5,000 subscribers, one broadcast after another: the next begins when
// all have the last. The generator parses nothing, and still receives 5,000 times for each.
import { runLoad } from "../support/load.ts";
import { loadBusyColumn, type Question } from "../support/question.ts";

const SUBSCRIBERS = 5000;

export const question: Question = {
  name: "ws-broadcast",
  title: "WebSocket broadcast of 1 KiB to 5,000 subscribers",
  columns: [
    { key: "perSecond", title: "messages/s", better: "more" },
    { key: "processorUs", title: "CPU µs/message", better: "less" },
    { key: "p50Ms", title: "p50 ms/broadcast", better: "less" },
    loadBusyColumn,
  ],
  contestants: [
    { label: "Berkeley", peer: "berkeley", job: "ws-broadcast" },
    { label: "ws", peer: "node-net", job: "ws-broadcast" },
    { label: "Bun", peer: "bun", job: "ws-broadcast" },
  ],
  async measure(server, conditions) {
    const load = { mode: "ws-broadcast", connections: SUBSCRIBERS, bytes: 1024, ...conditions } as const;
    const result = await runLoad(server, load);
    return {
      perSecond: result.count / result.seconds,
      processorUs: (result.serverSeconds / result.count) * 1e6,
      p50Ms: result.latencyUs.p50 / 1e3,
      loadBusyPercent: (result.loadSeconds / result.seconds) * 100,
    };
  },
};
