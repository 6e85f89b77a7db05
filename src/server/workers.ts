// A server on every core: worker threads that accept from one listener and serve on their own. Here is who starts them,
// starts them again when they die, counts, and stops them together. What a worker does is in worker-thread.ts.
//
// Why one descriptor for all, and not SO_REUSEPORT. With SO_REUSEPORT each worker has a queue of its own, and the kernel
// deals connections out by a hash: cheap, no worker is woken for another's connection. But a connection is dealt before
// anybody knows who has room: it waits behind a worker that is at its limit or computes, while others are idle; and what
// waits in the queue of a worker that dies is reset (tcp_migrate_req is off by default). With one descriptor there is one
// queue, as one line before many counters: who is free takes the next, who dies leaves nothing behind, and Unix sockets and
// inherited ones (systemd, a restart) work too. Its price is that each connection wakes all idle workers; they are as many
// as cores, and a worker that is busy is not woken. bench/questions/workers.ts asks what that costs.

import { availableParallelism } from "node:os";
import type { ResourceLimits } from "node:worker_threads";
import { checkInteger } from "../socket/base.ts";
import { invalidArgument } from "../socket/errors.ts";
import type { AnyAddress } from "../index.ts";
import { SocketListener } from "../stream/index.ts";
import { hasNoDelay } from "../stream/listener.ts";
import type { ServerStats } from "./counters.ts";
import { checkOptions, checkTime, checkTimeOrNone } from "./options.ts";
import type { ServeOptions } from "./options.ts";
import type { DrainReport, ShutdownOptions } from "./serve.ts";
import { Post } from "./workers-post.ts";

/** First pause before a worker that died is started again; each one after it is twice as long … */
const RESTART_MS_MIN = 100;
/** … up to this, as systemd and Kubernetes do (the latter up to 5 min), so that a fault costs little while it lasts. */
const RESTART_MS_MAX = 30_000;

/** What serveWorkers() takes last. Limits are of each worker. */
export interface ServeWorkersOptions extends Omit<ServeOptions, "onError"> {
  /** How many. Default: as many as there are cores for this process. */
  workers?: number | undefined;
  /** The pause before a worker that died is started again: doubles each time from the first to the second. Default 100, 30000. */
  restartMsMin?: number | undefined;
  restartMsMax?: number | undefined;
  /** Told why a worker died. Default: a process warning, code BERKELEY_WORKER. What a handler throws is no reason to. */
  onDeath?: ((error: Error, worker: number) => void) | undefined;
  /** What workers see as process.argv behind the program's name. Default: nothing. */
  argv?: readonly string[] | undefined;
  /** What workers see as process.env. Default: a copy of this thread's. */
  env?: NodeJS.ProcessEnv | undefined;
  /** Memory of each worker. @see ResourceLimits of node:worker_threads */
  resourceLimits?: ResourceLimits | undefined;
}

/** Numbers of all workers together, those that died among them. */
export interface WorkersStats extends ServerStats {
  /** Workers that serve now. */
  readonly workers: number;
  /** How often a worker was started again. */
  readonly restarts: number;
  /** Connections that ended with their worker. `accepted` is the sum of these and of the six of ServerStats. */
  readonly lost: number;
}

/** Workers that serve. Make one with serveWorkers(). */
export class WorkersServer implements AsyncDisposable {
  /** Where they listen, or did. */
  readonly localAddress: AnyAddress | undefined;
  /** Resolves when the server has stopped, and its workers have ended. */
  readonly finished: Promise<void>;
  readonly #listener: SocketListener;
  readonly #posts: readonly Post[];
  readonly #drainTimeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #onSignal = (): void => void this.shutdown();
  #stopped: (() => void) | undefined;

  /** @internal Use serveWorkers(). */
  constructor(
    listener: SocketListener,
    posts: readonly Post[],
    drainTimeoutMs: number,
    signal: AbortSignal | undefined,
  ) {
    this.localAddress = listener.localAddress;
    this.#listener = listener;
    this.#posts = posts;
    this.#drainTimeoutMs = drainTimeoutMs;
    this.#signal = signal;
    this.finished = new Promise((resolve) => (this.#stopped = resolve));
    signal?.addEventListener("abort", this.#onSignal);
    if (signal?.aborted === true) this.#onSignal();
  }

  /** What all workers have counted so far. */
  stats(): WorkersStats {
    const all = this.#posts.map((post) => post.stats());
    const sum = (of: (stats: WorkersStats) => number): number =>
      all.reduce((total, stats) => total + of(stats), 0);
    return {
      accepted: sum(({ accepted }) => accepted),
      active: sum(({ active }) => active),
      finished: sum(({ finished }) => finished),
      failed: sum(({ failed }) => failed),
      timedOut: sum(({ timedOut }) => timedOut),
      aborted: sum(({ aborted }) => aborted),
      refused: sum(({ refused }) => refused),
      bytesReceived: sum(({ bytesReceived }) => bytesReceived),
      bytesSent: sum(({ bytesSent }) => bytesSent),
      workers: sum(({ workers }) => workers),
      restarts: sum(({ restarts }) => restarts),
      lost: sum(({ lost }) => lost),
    };
  }

  /**
   * Stops as Server.shutdown(): every worker stops accepting, lets its handlers finish until the deadline, and ends. A worker
   * that does not answer, for it computes, is ended two seconds after the deadline.
   *
   * @returns what became of the handlers of all workers; those of a worker that did not answer are abandoned.
   * @throws {RangeError} ERR_OUT_OF_RANGE: a negative deadline.
   */
  async shutdown({ deadlineMs = this.#drainTimeoutMs }: ShutdownOptions = {}): Promise<DrainReport> {
    const ms = checkTimeOrNone("options.deadlineMs", deadlineMs);
    this.#signal?.removeEventListener("abort", this.#onSignal);
    this.#listener.close();
    const reports = await Promise.all(this.#posts.map((post) => post.stop(ms)));
    this.#stopped?.();
    const sum = (of: (report: DrainReport) => number): number =>
      reports.reduce((total, report) => total + of(report), 0);
    return {
      completed: sum(({ completed }) => completed),
      aborted: sum(({ aborted }) => aborted),
      abandoned: sum(({ abandoned }) => abandoned),
    };
  }

  /** shutdown() with the deadline of drainTimeoutMs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }
}

/**
 * Serves every connection of a listener in worker threads.
 *
 * A worker that dies (an error that nobody caught, no memory, process.exit) takes its own connections with it and no others;
 * it is started again after a pause.
 *
 * @param listener  belongs to the server from now on. Nothing is accepted in this thread.
 * @param module    the URL of a module whose default export is the handler, as for serve(). Each worker loads it.
 * @returns when all workers serve.
 * @throws what the module throws as it is loaded by the first worker of all that fails; nothing goes on running then.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option.
 */
export async function serveWorkers(
  listener: SocketListener,
  module: string | URL,
  options: ServeWorkersOptions = {},
): Promise<WorkersServer> {
  if (!(listener instanceof SocketListener)) throw invalidArgument("listener", "a SocketListener", listener);
  if (typeof module !== "string" && !(module instanceof URL))
    throw invalidArgument("module", "a URL", module);
  const { signal, drainTimeoutMs, idleTimeoutMs, totalTimeoutMs, lingerTimeoutMs, connectionsMax } =
    checkOptions(options as ServeOptions);
  const workers = checkInteger("options.workers", options.workers ?? availableParallelism(), 1, 1024);
  const restartMsMin = checkTime("options.restartMsMin", options.restartMsMin ?? RESTART_MS_MIN);
  const restartMsMax = checkTime("options.restartMsMax", options.restartMsMax ?? RESTART_MS_MAX);
  const { argv = [], env, onDeath, resourceLimits } = options;
  const { socket } = listener;
  const task = {
    module: String(module),
    family: socket.family,
    type: socket.type,
    proto: socket.proto,
    noDelay: hasNoDelay(socket),
    limits: { drainTimeoutMs, idleTimeoutMs, totalTimeoutMs, lingerTimeoutMs, connectionsMax },
  };
  const posts = Array.from(
    { length: workers },
    (_, number) =>
      new Post(number, socket, task, { argv, env, onDeath, resourceLimits, restartMsMin, restartMsMax }),
  );
  try {
    await Promise.all(posts.map((post) => post.ready));
  } catch (error) {
    await Promise.all(posts.map((post) => post.stop(0)));
    listener.close();
    throw error;
  }
  return new WorkersServer(listener, posts, drainTimeoutMs, signal);
}
