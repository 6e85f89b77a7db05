// How many connections a second: connect, a byte each way, the server closes, the client closes. 64 at
// a time. On loopback the client's core also does the kernel's part of a handshake, so a fast server
// is limited by the generator; CPU time per connection still tells them apart.
import { runLoad } from "../support/load.ts";
import { everyone, loadBusyColumn, type Question } from "../support/question.ts";

export const question: Question = {
  name: "accept-rate",
  title: "Connections accepted, a byte each way, closed",
  columns: [
    { key: "perSecond", title: "connections/s", better: "more" },
    { key: "processorUs", title: "CPU µs/connection", better: "less" },
    { key: "p50Us", title: "p50 µs", better: "less" },
    { key: "p99Us", title: "p99 µs", better: "less" },
    loadBusyColumn,
  ],
  contestants: everyone("exchange"),
  async measure(server, conditions) {
    const result = await runLoad(server, { mode: "connect", connections: 64, bytes: 1, ...conditions });
    return {
      perSecond: result.count / result.seconds,
      processorUs: (result.serverSeconds / result.count) * 1e6,
      p50Us: result.latencyUs.p50,
      p99Us: result.latencyUs.p99,
      loadBusyPercent: (result.loadSeconds / result.seconds) * 100,
    };
  },
};
