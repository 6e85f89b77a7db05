// A worker of serveWorkers(): loads the module, accepts from the listener's descriptor, and serves until it is told to stop.

import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import type { MessagePort } from "node:worker_threads";
import { fromfd } from "../index.ts";
import { SocketListener } from "../stream/index.ts";
import type { SocketStream } from "../stream/index.ts";
import type { Handler } from "./connection.ts";
import { Counters } from "./counters.ts";
import { Server } from "./serve.ts";
import { NOBODY } from "./workers-post.ts";
import type { WorkerData, WorkerOrder, WorkerWord } from "./workers-post.ts";

const { counters, family, fd, limits, module, noDelay, proto, type } = workerData as WorkerData;
const { default: handler } = (await import(module)) as { default: Handler<SocketStream> };
if (typeof handler !== "function") throw new TypeError(`${module} has no handler as its default export`);

const port = parentPort as MessagePort;
const say = (word: WorkerWord): void => port.postMessage(word, []);

// Told to stop while it loaded, it takes nobody.
if (receiveMessageOnPort(port) === undefined) {
  const listener = new SocketListener(fromfd(fd, family, type, proto), { noDelay });
  const server = new Server(listener, handler, limits, new Counters(counters));
  port.on("message", ({ deadlineMs }: WorkerOrder) => {
    void server.shutdown({ deadlineMs }).then(say);
  });
  say("serving");
} else say(NOBODY);
