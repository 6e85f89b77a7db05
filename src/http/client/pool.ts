// The connections to one origin, and the requests that wait for one. A request takes the connection that was used last; if
// there is none, and not too many, one is opened, and whichever is free first serves whoever has waited longest. What
// happens on a connection it does not know.

import { startTimer, stopTimer } from "../../engine/clock.ts";
import type { ByteStream } from "../../stream/index.ts";
import type { Clock } from "../clock.ts";
import { mistake } from "../syntax/errors.ts";
import { ClientConnection } from "./connection.ts";
import type { ConnectionOwner } from "./connection.ts";
import { RequestTimeoutError } from "./errors.ts";
import type { CheckedClientOptions } from "./options.ts";
import type { PendingRequest, RequestHolder } from "./pending.ts";

/** What a pool needs of its client. */
export interface PoolOwner {
  readonly options: CheckedClientOptions;
  readonly clock: Clock;
  /** One more connection has nothing to do, or one less. */
  idles(change: 1 | -1): void;
  /** It has neither connections nor requests. */
  empty(key: string): void;
}

/** How many there are of everything. */
export interface ClientStats {
  /** Open connections, those in use and those that are idle. */
  connections: number;
  idle: number;
  /** Connections that are being made. */
  connecting: number;
  /** Requests that wait for a connection. */
  waiting: number;
}

/** All that goes to one origin by one way. */
export class OriginPool implements ConnectionOwner, RequestHolder {
  readonly #owner: PoolOwner;
  readonly #key: string;
  readonly #open: (signal: AbortSignal) => Promise<ByteStream>;
  readonly #connections: Set<ClientConnection> = new Set();
  /** The one that was used last is last. */
  readonly #idle: ClientConnection[] = [];
  readonly #attempts: Set<AbortController> = new Set();
  /** In the order in which they came. */
  readonly #waiting: Set<PendingRequest> = new Set();

  /**
   * @param key   its name with its owner.
   * @param open  makes a connection.
   */
  constructor(owner: PoolOwner, key: string, open: (signal: AbortSignal) => Promise<ByteStream>) {
    this.#owner = owner;
    this.#key = key;
    this.#open = open;
  }

  /** Sends a request as soon as there is a connection for it. */
  submit(request: PendingRequest): void {
    const connection = this.#takeIdle();
    if (connection !== undefined) {
      connection.start(request);
      return;
    }
    const { queueMax } = this.#owner.options;
    if (this.#waiting.size >= queueMax + this.#attempts.size) {
      request.reject(mistake("ERR_HTTP_QUEUE_FULL", `${queueMax} requests wait for a connection already`));
      return;
    }
    this.#enqueue(request);
  }

  // Those that are idle may be dead as well: it waits for one that is not.
  again(request: PendingRequest): void {
    request.retried = true;
    const { connectionsMax } = this.#owner.options;
    if (this.#connections.size + this.#attempts.size >= connectionsMax) this.closeIdle();
    this.#enqueue(request);
  }

  #enqueue(request: PendingRequest): void {
    request.holder = this;
    this.#waiting.add(request);
    this.#grow();
  }

  #takeIdle(): ClientConnection | undefined {
    const connection = this.#idle.pop();
    if (connection !== undefined) this.#owner.idles(-1);
    return connection;
  }

  /** Opens as many connections as there are requests for, and may be. */
  #grow(): void {
    const { connectionsMax } = this.#owner.options;
    while (
      this.#attempts.size < this.#waiting.size &&
      this.#connections.size + this.#attempts.size < connectionsMax
    )
      void this.#attempt();
  }

  async #attempt(): Promise<void> {
    const controller = new AbortController();
    this.#attempts.add(controller);
    const { options, clock } = this.#owner;
    let failure: unknown;
    let stream: ByteStream | undefined;
    try {
      stream = await this.#connect(controller, options.connectTimeoutMs);
    } catch (error) {
      failure = error;
    }
    this.#attempts.delete(controller);
    if (stream !== undefined) {
      const connection = new ClientConnection(stream, options, clock, this);
      this.#connections.add(connection);
      this.free(connection);
    } else if (!controller.signal.aborted || failure instanceof RequestTimeoutError) {
      // Whoever has waited longest hears of it; for the others another attempt is made.
      const first = this.#takeWaiting();
      first?.reject(failure);
    }
    this.#grow();
    this.#leave();
  }

  /** Connects in time, even if the function that does it does not heed its signal. */
  async #connect(controller: AbortController, ms: number): Promise<ByteStream> {
    const { signal } = controller;
    const timer = startTimer(ms, () => controller.abort(new RequestTimeoutError("connect", ms)));
    // A function that connects may hold nothing alive itself.
    timer.ref();
    try {
      return await new Promise<ByteStream>((resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        this.#open(signal).then((stream) => (signal.aborted ? stream.close() : resolve(stream)), reject);
      });
    } finally {
      stopTimer(timer);
    }
  }

  #takeWaiting(): PendingRequest | undefined {
    for (const request of this.#waiting) {
      this.#waiting.delete(request);
      return request;
    }
    return undefined;
  }

  free(connection: ClientConnection): void {
    const next = this.#waiting.size === 0 ? undefined : this.#takeWaiting();
    if (next !== undefined) {
      connection.start(next);
      return;
    }
    this.#idle.push(connection);
    connection.rest();
    this.#owner.idles(1);
  }

  gone(connection: ClientConnection): void {
    this.#connections.delete(connection);
    const place = this.#idle.lastIndexOf(connection);
    if (place >= 0) {
      this.#idle.splice(place, 1);
      this.#owner.idles(-1);
    }
    this.#grow();
    this.#leave();
  }

  drop(request: PendingRequest): void {
    this.#waiting.delete(request);
    // Nobody is left to connect for.
    if (this.#waiting.size === 0) for (const attempt of this.#attempts) attempt.abort();
    this.#leave();
  }

  /** Closes the connection that has been idle for the longest time; false: none is. */
  closeIdle(): boolean {
    const [longest] = this.#idle;
    longest?.close(undefined);
    return longest !== undefined;
  }

  /** Closes everything. What is under way or waits fails. */
  close(reason: unknown): void {
    for (const request of this.#waiting) request.reject(reason);
    this.#waiting.clear();
    for (const attempt of this.#attempts) attempt.abort();
    for (const connection of this.#connections) connection.close(reason);
    this.#leave();
  }

  /** Adds its own numbers. */
  count(stats: ClientStats): void {
    stats.connections += this.#connections.size;
    stats.idle += this.#idle.length;
    stats.connecting += this.#attempts.size;
    stats.waiting += this.#waiting.size;
  }

  #leave(): void {
    if (this.#connections.size === 0 && this.#attempts.size === 0 && this.#waiting.size === 0)
      this.#owner.empty(this.#key);
  }
}
