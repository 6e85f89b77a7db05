// What a second core brings: the same work for each connection in one worker, in one on each core, and in as many processes
// of node:cluster. The generator shares one of the cores, and takes little of it: nearly all time is the work. Two workers
// should serve 1.6 times what one does, and no less than node:cluster.
import { runLoad } from "../support/load.ts";
import { loadBusyColumn, type Question } from "../support/question.ts";

export const question: Question = {
  name: "workers-every-core",
  title: "Connections with work for the processor, on every core",
  everyCore: true,
  // Node's processes are several, so nobody's processor time is told.
  columns: [
    { key: "perSecond", title: "connections/s", better: "more" },
    { key: "p50Us", title: "p50 µs", better: "less" },
    { key: "p99Us", title: "p99 µs", better: "less" },
    loadBusyColumn,
  ],
  contestants: [
    { label: "serveWorkers, a worker each", peer: "berkeley", job: "exchange-work-all" },
    { label: "serveWorkers, one worker", peer: "berkeley", job: "exchange-work-one" },
    { label: "node:cluster", peer: "node-net", job: "exchange-work-all" },
  ],
  async measure(server, conditions) {
    const result = await runLoad(server, { mode: "connect", connections: 64, bytes: 1, ...conditions });
    return {
      perSecond: result.count / result.seconds,
      p50Us: result.latencyUs.p50,
      p99Us: result.latencyUs.p99,
      loadBusyPercent: (result.loadSeconds / result.seconds) * 100,
    };
  },
};
