// A worker of serveWorkers(): loads the module, accepts from the listener's descriptor, and serves until it is told to stop.

import { parentPort, workerData } from "node:worker_threads";
import { fromfd } from "../index.ts";
import { SocketListener } from "../stream/index.ts";
import type { SocketStream } from "../stream/index.ts";
import type { Handler } from "./connection.ts";
import { Counters } from "./counters.ts";
import { Server } from "./serve.ts";
import type { WorkerData, WorkerOrder, WorkerWord } from "./workers-post.ts";

const { counters, family, fd, limits, module, noDelay, proto, type } = workerData as WorkerData;
const { default: handler } = (await import(module)) as { default: Handler<SocketStream> };
if (typeof handler !== "function") throw new TypeError(`${module} has no handler as its default export`);

const listener = new SocketListener(fromfd(fd, family, type, proto), { noDelay });
const server = new Server(listener, handler, limits, new Counters(counters));
const say = (word: WorkerWord): void => parentPort?.postMessage(word, []);

parentPort?.on("message", ({ deadlineMs }: WorkerOrder) => {
  void server.shutdown({ deadlineMs }).then(say);
});
say("serving");
