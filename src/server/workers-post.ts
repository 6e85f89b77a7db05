// One place of a server on every core, and the worker that has it: one after another, when they die. It knows what a worker
// is told and what it says; the other places it does not know.

import { Worker } from "node:worker_threads";
import type { ResourceLimits } from "node:worker_threads";
import { now } from "../engine/clock.ts";
import type { Socket } from "../index.ts";
import { Bell } from "./bell.ts";
import { COUNTERS_BYTES, Counters } from "./counters.ts";
import type { CheckedOptions } from "./options.ts";
import type { DrainReport } from "./serve.ts";
import type { WorkersStats } from "./workers.ts";

/** A worker that lived so long died of something new: the pauses begin anew. */
const CALM_MS = 60_000;
/** How long after its deadline a worker may still take to say that it has stopped. */
const ANSWER_MS = 2_000;

/** What a worker is told as it starts. */
export interface WorkerTask {
  readonly module: string;
  readonly family: number;
  readonly type: number;
  readonly proto: number;
  /** As the listener has it: connections inherit it. */
  readonly noDelay: boolean;
  readonly limits: Pick<
    CheckedOptions<never>,
    "drainTimeoutMs" | "idleTimeoutMs" | "totalTimeoutMs" | "lingerTimeoutMs" | "connectionsMax"
  >;
}

/** … with the memory of its counters, and the listener. */
export interface WorkerData extends WorkerTask {
  /** A descriptor of the listener that stays open until the worker serves or has ended. It makes one of its own of it. */
  readonly fd: number;
  readonly counters: SharedArrayBuffer;
}

/** What a worker is told later. */
export interface WorkerOrder {
  readonly deadlineMs: number;
}

/** What a worker says: it serves; it has stopped. */
export type WorkerWord = "serving" | DrainReport;

/** How its workers are started. */
export interface PostOptions {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv | undefined;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly restartMsMin: number;
  readonly restartMsMax: number;
  readonly onDeath: ((error: Error, worker: number) => void) | undefined;
}

/** No handler ran. */
export const NOBODY: DrainReport = { completed: 0, aborted: 0, abandoned: 0 };

const errorOf = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

/** One place. */
export class Post {
  /** Resolves when its first worker serves; rejects with what that died of before. */
  readonly ready: Promise<void>;
  readonly #number: number;
  readonly #listener: Socket;
  readonly #data: Omit<WorkerData, "fd">;
  readonly #options: PostOptions;
  readonly #counters: Counters;
  /** Rings when the worker has said something, or has ended, and when the place is given up. */
  readonly #news = new Bell();
  #worker: Worker | undefined;
  #serving = false;
  #report: DrainReport | undefined;
  #stopping = false;
  #restarts = 0;
  #lost = 0;

  constructor(number: number, listener: Socket, task: WorkerTask, options: PostOptions) {
    const counters = new SharedArrayBuffer(COUNTERS_BYTES);
    this.#number = number;
    this.#listener = listener;
    this.#data = { ...task, counters };
    this.#options = options;
    this.#counters = new Counters(counters);
    this.ready = this.#begin();
    this.ready.catch(() => undefined); // told by who waits for all places
  }

  async #begin(): Promise<void> {
    const died = this.#start();
    const begins = (async () => {
      while (!this.#serving) await this.#news.next();
    })();
    const death = await Promise.race([begins, died]);
    if (death !== undefined) throw death;
    void this.#keep(died);
  }

  /** Starts one worker after another. */
  async #keep(first: Promise<Error>): Promise<void> {
    const { restartMsMax, restartMsMin } = this.#options;
    let died = first;
    let ms = restartMsMin;
    for (;;) {
      const begun = now();
      // One that cannot be started (no thread is left) has died as well.
      const error = await died.catch(errorOf);
      if (this.#stopping) return;
      this.#tell(error);
      if (now() - begun >= CALM_MS) ms = restartMsMin;
      const again = now() + ms;
      ms = Math.min(ms * 2, restartMsMax);
      while (!this.#stopping && now() < again) await this.#news.next(again - now());
      if (this.#stopping) return;
      this.#restarts++;
      died = this.#start();
    }
  }

  /** Whatever onDeath throws: the place is filled again. */
  #tell(error: Error): void {
    const { onDeath } = this.#options;
    if (onDeath === undefined) return this.#warn(error);
    try {
      onDeath(error, this.#number);
    } catch (another) {
      this.#warn(errorOf(another));
    }
  }

  #warn({ message, stack = "" }: Error): void {
    process.emitWarning(`worker ${this.#number} died: ${message}`, {
      code: "BERKELEY_WORKER",
      detail: stack,
    });
  }

  /** Starts a worker; resolves with what it died of. */
  async #start(): Promise<Error> {
    // Of the listener itself the number may be another socket's by the time that the worker has loaded.
    using lent = this.#listener.dup();
    const { argv, env, resourceLimits } = this.#options;
    const worker = new Worker(new URL("./worker-thread.js", import.meta.url), {
      workerData: { ...this.#data, fd: lent.fileno() } satisfies WorkerData,
      argv: [...argv],
      ...(env === undefined ? {} : { env }),
      ...(resourceLimits === undefined ? {} : { resourceLimits }),
    });
    this.#worker = worker;
    let error: Error | undefined;
    worker.on("message", (word: WorkerWord) => {
      if (word === "serving") {
        this.#serving = true;
        lent.close();
      } else this.#report = word;
      this.#news.ring();
    });
    worker.on("error", (thrown: unknown) => {
      error = errorOf(thrown);
    });
    const code = await new Promise<number>((resolve) => worker.once("exit", resolve));
    this.#worker = undefined;
    this.#serving = false;
    // The worker has closed what it had; these connections are nobody's any more.
    const { active } = this.#counters.read();
    this.#counters.add("active", -active);
    this.#lost += active;
    this.#news.ring();
    return error ?? new Error(`the worker ended with ${code}`);
  }

  stats(): WorkersStats {
    const workers = this.#serving ? 1 : 0;
    return { ...this.#counters.read(), workers, restarts: this.#restarts, lost: this.#lost };
  }

  /** Has the worker stop, and waits until it has ended. */
  async stop(deadlineMs: number): Promise<DrainReport> {
    this.#stopping = true;
    this.#news.ring();
    const worker = this.#worker;
    if (worker === undefined) return NOBODY;
    const end = now() + deadlineMs + ANSWER_MS;
    worker.postMessage({ deadlineMs } satisfies WorkerOrder, []);
    while (this.#worker !== undefined && this.#report === undefined && now() < end)
      await this.#news.next(end - now());
    const abandoned = this.#report === undefined ? this.#counters.read().active : 0;
    await worker.terminate();
    return this.#report ?? { ...NOBODY, abandoned };
  }
}
