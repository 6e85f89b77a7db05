// A server: accepts while there is room, runs a handler per connection, and shuts down orderly. What becomes of one
// connection is told in connection.ts. It knows streams and listeners, and no socket.
//
// Why it does not accept what it cannot serve. A server that accepts all and drops (Node's maxConnections), or accepts all
// and lets it wait inside (most event loops), hides its load: the client believes itself served. What is not accepted waits
// in the kernel's queue in the order of its coming, costs no descriptor, and when the queue too is full the client's TCP
// tries again by itself. Another process or thread that accepts from the same queue takes it at once.
//
// Errors of accept are treated as socket/accept-errors.ts argues.

import { acceptPause } from "../socket/accept-errors.ts";
import { invalidArgument } from "../socket/errors.ts";
import type { AnyAddress } from "../index.ts";
import type { ByteStream, StreamListener } from "../stream/index.ts";
import { Bell } from "./bell.ts";
import { ServedConnection } from "./connection.ts";
import type { ConnectionLimits, Handler } from "./connection.ts";
import { Counters } from "./counters.ts";
import type { ServerStats } from "./counters.ts";
import { ServerError } from "./errors.ts";
import { checkOptions, checkTimeOrNone } from "./options.ts";
import type { CheckedOptions, ServeOptions } from "./options.ts";
import { warnOfHandler } from "./report.ts";

/** How long a handler may still take after its connection was ended, before shutdown() goes on without it. */
const ABORT_GRACE_MS = 1_000;

/** A listener that gives streams of a kind of its own. Its accept() waits for the peer to connect, and for nothing else of it. */
export interface ListenerOf<S extends ByteStream> extends StreamListener {
  accept(options?: { signal?: AbortSignal | undefined }): Promise<S>;
}

/** What shutdown() takes. */
export interface ShutdownOptions {
  /** How long handlers may take to finish; 0: no time. Default: drainTimeoutMs of serve(). */
  deadlineMs?: number | undefined;
}

/** How handlers ended that ran when shutdown() began. */
export interface DrainReport {
  /** They finished in time. */
  readonly completed: number;
  /** Their connections were ended, and they with them. */
  readonly aborted: number;
  /** Their connections were ended, and a second later they had not returned. They still run. */
  readonly abandoned: number;
}

/** A server that runs. Make one with serve(). */
export class Server<S extends ByteStream = ByteStream> implements AsyncDisposable {
  /** Where it listens, or did. */
  readonly localAddress: AnyAddress | undefined;
  /** Resolves when the server has stopped and its handlers have ended; rejects if accept() failed for good. */
  readonly finished: Promise<void>;
  readonly #listener: ListenerOf<S>;
  readonly #handler: Handler<S>;
  readonly #options: CheckedOptions<S>;
  readonly #counters: Counters;
  /** Ends when nothing is accepted any more. */
  readonly #accepting: Promise<void>;
  readonly #connections = new Set<ServedConnection<S>>();
  readonly #stopping = new AbortController();
  /** Rings when a place is free, and when the server stops. */
  readonly #room = new Bell();
  /** Rings when the last handler has ended. */
  readonly #empty = new Bell();
  /** What is the same for all connections. */
  readonly #limits: ConnectionLimits;
  #accepted = 0;
  #ended = 0;
  readonly #onSignal = (): void => void this.shutdown();

  /** @internal Use serve(). */
  constructor(listener: ListenerOf<S>, handler: Handler<S>, options: ServeOptions<S>, counters: Counters) {
    if (typeof listener?.accept !== "function")
      throw invalidArgument("listener", "a StreamListener", listener);
    if (typeof handler !== "function") throw invalidArgument("handler", "a function", handler);
    this.#listener = listener;
    this.#handler = handler;
    this.#options = checkOptions(options);
    this.localAddress = listener.localAddress;
    this.#counters = counters;
    this.#limits = { ...this.#options, counters, stopping: this.#stopping.signal };
    const { signal } = this.#options;
    signal?.addEventListener("abort", this.#onSignal);
    this.#accepting = this.#acceptAll();
    this.finished = this.#run();
    if (signal?.aborted === true) this.#onSignal();
  }

  /** What it has counted so far. */
  stats(): ServerStats {
    return this.#counters.read();
  }

  /**
   * Stops: closes the listener, tells handlers through `connection.stopping`, waits for them until the deadline, and then
   * ends their connections (`connection.signal`). Called again, the earlier deadline holds.
   *
   * @returns when no handler runs any more, or a second after the deadline: what became of those that ran.
   * @throws {RangeError} ERR_OUT_OF_RANGE: a negative deadline.
   */
  async shutdown({ deadlineMs = this.#options.drainTimeoutMs }: ShutdownOptions = {}): Promise<DrainReport> {
    const ms = checkTimeOrNone("options.deadlineMs", deadlineMs);
    const before = this.#ended;
    this.#stop();
    // What was accepted at this very moment is served, and ended, as the others are.
    await this.#accepting.catch(() => undefined); // `finished` tells why
    if (ms > 0) await this.#emptied(ms);
    const completed = this.#ended - before;
    const late = this.#connections.size;
    for (const connection of this.#connections)
      connection.end("ERR_SERVER_STOPPED", "the server has stopped");
    await this.#emptied(ABORT_GRACE_MS);
    const abandoned = this.#connections.size;
    return { completed, aborted: late - abandoned, abandoned };
  }

  /** shutdown() with the deadline of drainTimeoutMs. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  #stop(): void {
    if (this.#stopping.signal.aborted) return;
    this.#options.signal?.removeEventListener("abort", this.#onSignal);
    this.#stopping.abort(new ServerError("ERR_SERVER_STOPPED", "the server stops"));
    this.#listener.close();
    this.#room.ring();
  }

  async #emptied(ms: number): Promise<void> {
    if (this.#connections.size > 0) await this.#empty.next(ms);
  }

  async #run(): Promise<void> {
    try {
      await this.#accepting;
    } finally {
      this.#stop();
      await this.#emptied(Infinity);
    }
  }

  async #acceptAll(): Promise<void> {
    const pause = acceptPause();
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (this.#connections.size >= this.#options.connectionsMax) {
        await this.#room.next();
        continue;
      }
      let stream: S;
      try {
        stream = await this.#listener.accept();
      } catch (error) {
        if (this.#listener.closed) return;
        const ms = pause.after(error);
        if (ms > 0) await this.#room.next(ms);
        continue;
      }
      pause.recovered();
      void this.#serve(stream);
    }
  }

  async #serve(stream: S): Promise<void> {
    const { onError } = this.#options;
    const counters = this.#counters;
    const connection = new ServedConnection(stream, ++this.#accepted, this.#limits);
    this.#connections.add(connection);
    counters.add("accepted");
    counters.add("active");
    const outcome = await connection.run(this.#handler, (error, peersFault) => {
      if (onError === undefined) return warnOfHandler(error, stream, peersFault);
      try {
        onError(error, connection);
      } catch (another) {
        warnOfHandler(another, stream, false);
      }
    });
    counters.add("active", -1);
    counters.add(outcome);
    this.#connections.delete(connection);
    this.#ended++;
    this.#room.ring();
    if (this.#connections.size === 0) this.#empty.ring();
  }
}

/**
 * Serves every connection of a listener, each by a handler of its own, never more than connectionsMax at once.
 *
 * @param listener  belongs to the server from now on, which closes it when it stops.
 * @param handler   a rejection ends its connection and is told to onError; the server goes on.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option.
 * @see accept(2), listen(2)
 */
export function serve<S extends ByteStream>(
  listener: ListenerOf<S>,
  handler: Handler<S>,
  options: ServeOptions<S> = {},
): Server<S> {
  return new Server(listener, handler, options, new Counters());
}
