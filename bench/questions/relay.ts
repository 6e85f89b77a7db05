// How fast does a server relay, and at what cost: the generator sends through it to a program that throws away what it
// receives. Both ends share the generator's core and may be the limit, so the processor time per byte tells more.
import { BACKLOG } from "../servers/control.ts";
import { runLoad } from "../support/load.ts";
import { nativeProgram } from "../support/native.ts";
import { LOAD_CORE, Program } from "../support/program.ts";
import { loadBusyColumn, type Question } from "../support/question.ts";

const CONNECTIONS = 8;
const BYTES = 65_536;
const GIB = 2 ** 30;

export const question: Question = {
  name: "relay",
  title: `Relay between two sockets, ${CONNECTIONS} connections`,
  columns: [
    { key: "gibPerSecond", title: "GiB/s", better: "more" },
    { key: "processorMsPerGib", title: "CPU ms/GiB", better: "less" },
    loadBusyColumn,
  ],
  contestants: [
    { label: "Berkeley relay", peer: "berkeley", job: "relay" },
    { label: "Berkeley recv_into", peer: "berkeley", job: "relay-into" },
    { label: "node:net pipe", peer: "node-net", job: "relay" },
  ],
  async measure(server, conditions) {
    await using sink = new Program([nativeProgram("epoll_server"), "discard", String(BACKLOG)], LOAD_CORE);
    await server.target(Number(/^port (\d+)$/.exec(await sink.nextLine())?.[1]));
    const result = await runLoad(server, {
      mode: "send",
      connections: CONNECTIONS,
      bytes: BYTES,
      ...conditions,
    });
    const gib = result.bytes / GIB;
    return {
      gibPerSecond: gib / result.seconds,
      processorMsPerGib: (result.serverSeconds / gib) * 1e3,
      loadBusyPercent: (result.loadSeconds / result.seconds) * 100,
    };
  },
};
