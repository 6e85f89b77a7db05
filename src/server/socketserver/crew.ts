// Threads that handle requests, one request at a time each: what the Forking servers have in place of processes. A thread is
// started when none is idle, and kept for the next request. It knows no server; how many run at once its caller decides.
//
// Why threads. Node has no fork(2): a new process begins with nothing, takes 40 ms and 40 MB, and can be given a descriptor
// only as it starts. A worker thread has a heap, an event loop and a processor of its own, may block, compute and die
// without harm to the others, and descriptors are the process's, so that a number is enough to hand a connection over.

import { Worker } from "node:worker_threads";
import { Socket } from "../../index.ts";
import type { AnyAddress } from "../../index.ts";
import { BaseRequestHandler } from "./handlers.ts";
import type { DatagramRequest } from "./handlers.ts";

/** A request on its way to a thread. */
export interface Task {
  /** The descriptor of the connection, or of a datagram server's socket; it stays open until the request is done. */
  readonly fd: number;
  readonly family: number;
  readonly type: number;
  readonly proto: number;
  /** Of datagrams: what came. */
  readonly packet: Uint8Array | undefined;
  readonly client_address: AnyAddress;
  readonly server_address: AnyAddress;
}

/** What a thread answers: nothing more when it is done. */
export interface Answer {
  readonly error?: { readonly message: string; readonly stack: string | undefined; readonly code: unknown };
}

/** Threads that have loaded one module. */
export class Crew {
  readonly #module: string;
  readonly #idle: Worker[] = [];
  readonly #all = new Set<Worker>();

  /** @param module  its default export is the class of the handlers. */
  constructor(module: URL) {
    this.#module = String(module);
  }

  /** Has a thread handle a request. Rejects with what the handler threw, or if the thread ended before. */
  async run(task: Task): Promise<void> {
    const worker = this.#idle.pop() ?? this.#start();
    worker.ref();
    let answer: Answer;
    try {
      answer = await new Promise<Answer>((resolve, reject) => {
        worker.once("message", resolve);
        worker.once("error", reject);
        worker.once("exit", (code) => reject(new Error(`the thread of the request ended with ${code}`)));
        worker.postMessage(task, []);
      });
    } catch (error) {
      this.#all.delete(worker);
      void worker.terminate();
      throw error;
    } finally {
      for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
      worker.unref();
    }
    this.#idle.push(worker.on("exit", () => this.#forget(worker)).on("error", () => this.#forget(worker)));
    const { error } = answer;
    if (error !== undefined) throw Object.assign(new Error(error.message), { ...error });
  }

  #start(): Worker {
    const worker = new Worker(new URL("./crew-thread.js", import.meta.url), { workerData: this.#module });
    this.#all.add(worker);
    return worker;
  }

  /** It has died while it was idle. */
  #forget(worker: Worker): void {
    this.#all.delete(worker);
    const at = this.#idle.indexOf(worker);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  /** Ends all threads, and what they do. */
  async close(): Promise<void> {
    const all = [...this.#all];
    this.#all.clear();
    this.#idle.length = 0;
    await Promise.all(all.map((worker) => worker.terminate()));
  }
}

/** A server with threads. */
interface CrewServer {
  readonly server_address: AnyAddress;
  readonly crew: Crew | undefined;
}

/** Passes a request on to a thread, and waits until it is done there. */
export class PassingHandler<
  R extends Socket | DatagramRequest,
  A extends AnyAddress,
> extends BaseRequestHandler<R, A, CrewServer> {
  override async handle(): Promise<void> {
    const { client_address, request, server } = this;
    const [packet, socket] = request instanceof Socket ? [undefined, request] : request;
    const { family, type, proto } = socket;
    const { crew, server_address } = server;
    const fd = socket.fileno();
    await crew?.run({ fd, family, type, proto, packet, client_address, server_address });
  }
}
