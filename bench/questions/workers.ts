// What it costs that each connection wakes every idle worker: four threads that accept from one descriptor, as serveWorkers()
// has it, and four with a queue each (SO_REUSEPORT); beside them serve() on one thread. All on one core, so it is the
// processor time per connection that tells.
import { runLoad } from "../support/load.ts";
import { loadBusyColumn, type Question } from "../support/question.ts";

export const question: Question = {
  name: "workers",
  title: "Connections accepted by four workers on one core",
  columns: [
    { key: "processorUs", title: "CPU µs/connection", better: "less" },
    { key: "perSecond", title: "connections/s", better: "more" },
    { key: "p50Us", title: "p50 µs", better: "less" },
    { key: "p99Us", title: "p99 µs", better: "less" },
    loadBusyColumn,
  ],
  contestants: [
    { label: "serveWorkers", peer: "berkeley", job: "exchange-shared" },
    { label: "SO_REUSEPORT", peer: "berkeley", job: "exchange-reuseport" },
    { label: "serve, one thread", peer: "berkeley", job: "exchange-serve" },
  ],
  async measure(server, conditions) {
    const result = await runLoad(server, { mode: "connect", connections: 64, bytes: 1, ...conditions });
    return {
      processorUs: (result.serverSeconds / result.count) * 1e6,
      perSecond: result.count / result.seconds,
      p50Us: result.latencyUs.p50,
      p99Us: result.latencyUs.p99,
      loadBusyPercent: (result.loadSeconds / result.seconds) * 100,
    };
  },
};
