// One connection of a server, from the accept to the end of its handler: its timeouts, its signal, and how it ended. It
// knows neither the listener nor the other connections.
//
// Why it does not always close at once. close(2) of a TCP connection on which something came that nobody received sends a
// reset (RFC 1122 section 4.2.2.13), and a peer that gets one may lose the last answer: the refusal that was to tell it what
// is wrong. So this side ends first. If something is there to be received, more of it may come: all is received and dropped
// until the peer has ended as well, for lingerTimeoutMs at most. If nothing is there, it is closed: waiting for every peer to
// end would leave the places to those who do not. Apache and nginx do the same.

import { nextTurn, startTimer, stopTimer } from "../engine/clock.ts";
import type { Timer } from "../engine/clock.ts";
import type { ByteStream } from "../stream/index.ts";
import type { Counters } from "./counters.ts";
import { ServerError } from "./errors.ts";
import type { ServerErrorCode } from "./errors.ts";
import { ServedStream } from "./served-stream.ts";
import type { Watch } from "./served-stream.ts";

/** What a handler is told about its connection. */
export interface Connection<S extends ByteStream = ByteStream> {
  /** Counted by its server from 1. */
  readonly id: number;
  /**
   * The stream as the listener gave it, for what it can beyond a ByteStream. It is not watched: what moves through it
   * directly is not counted, and is no sign of life to the idle timeout.
   */
  readonly accepted: S;
  /**
   * Aborted when the server ends the connection: idle for too long, too old, or the time to finish is up at a shutdown.
   * The stream is closed at the same moment. Its reason is a ServerError.
   */
  readonly signal: AbortSignal;
  /**
   * Aborted when the server begins to shut down: finish what is being done, and take nothing new. Given to a call that
   * waits for the peer's next request, it ends the wait; a handler that throws its reason has finished.
   */
  readonly stopping: AbortSignal;
}

/**
 * Serves one connection, which ends when it returns or throws; its stream is then closed. Throwing a ServerError refuses the
 * connection: it is counted and told nobody.
 *
 * @param stream  the connection. Its calls fail with a ServerError once the server has ended it.
 */
export type Handler<S extends ByteStream = ByteStream> = (
  stream: ByteStream,
  connection: Connection<S>,
) => Promise<void> | void;

/** How a connection ended, by the name of its counter. */
export type Outcome = "finished" | "failed" | "timedOut" | "aborted" | "refused";

/** What a connection needs of its server. */
export interface ConnectionLimits {
  readonly idleTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly lingerTimeoutMs: number;
  readonly counters: Counters;
  readonly stopping: AbortSignal;
}

/** A connection that is being served. */
export class ServedConnection<S extends ByteStream> implements Connection<S>, Watch {
  readonly id: number;
  readonly accepted: S;
  readonly stopping: AbortSignal;
  readonly counters: Counters;
  /** Why the server ended it. */
  #reason: ServerError | undefined;
  /** What its stream last failed with. */
  #broke: unknown;
  #peerEnded = false;
  #controller: AbortController | undefined;
  readonly #lingerTimeoutMs: number;
  #idle: Timer | undefined;
  #total: Timer | undefined;
  /** Calls that wait for the peer. */
  #waiting = 0;

  constructor(accepted: S, id: number, limits: ConnectionLimits) {
    const { idleTimeoutMs, totalTimeoutMs } = limits;
    this.accepted = accepted;
    this.id = id;
    this.stopping = limits.stopping;
    this.counters = limits.counters;
    this.#lingerTimeoutMs = limits.lingerTimeoutMs;
    // They hold no process: what waits for the peer does.
    this.#idle = startTimer(idleTimeoutMs, () => {
      if (this.#waiting > 0) this.end("ERR_IDLE_TIMEOUT", `idle for ${idleTimeoutMs} ms`);
    });
    this.#total = startTimer(totalTimeoutMs, () =>
      this.end("ERR_TOTAL_TIMEOUT", `not done after ${totalTimeoutMs} ms`),
    );
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  waits(on: boolean): void {
    this.#waiting += on ? 1 : -1;
    // A timer that has fired while nobody waited runs again.
    this.#idle?.refresh();
  }

  ended(): void {
    this.#peerEnded = true;
  }

  explain(error: unknown): unknown {
    this.#broke = error;
    return this.#reason ?? error;
  }

  /** Ends it, for a reason that its handler sees. */
  end(code: ServerErrorCode, what: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = new ServerError(code, what, this.accepted.remoteAddress);
    this.#stopTimers();
    this.accepted.close();
    this.#controller?.abort(this.#reason);
  }

  /** Runs the handler to its end and closes the stream. `report` is told what it threw. It never rejects. */
  async run(handler: Handler<S>, report: (error: unknown, peersFault: boolean) => void): Promise<Outcome> {
    let thrown: { readonly error: unknown } | undefined;
    try {
      await handler(new ServedStream(this.accepted, this), this);
    } catch (error) {
      // A wait that `stopping` ended is no failure: it is what that signal is for.
      if (!this.stopping.aborted || error !== this.stopping.reason) thrown = { error };
    }
    const ended = thrown === undefined && (await this.#endWriting());
    this.#stopTimers();
    const outcome = this.#outcome(thrown);
    if (ended && outcome === "finished" && this.#lingers) await this.#linger();
    if (outcome === "failed") report(thrown?.error, thrown?.error === this.#broke);
    this.#close();
    return outcome;
  }

  #outcome(thrown: { readonly error: unknown } | undefined): Outcome {
    if (this.#reason !== undefined)
      return this.#reason.code === "ERR_SERVER_STOPPED" ? "aborted" : "timedOut";
    if (thrown === undefined) return "finished";
    return thrown.error instanceof ServerError ? "refused" : "failed";
  }

  // The end comes behind what the handler has left to be sent, and a peer that reads none of that must not keep the place:
  // the timeouts of the connection hold until it is sent.
  /** Ends this side behind all that is being sent; false: it broke, or there is nothing to be ended. */
  async #endWriting(): Promise<boolean> {
    const { accepted } = this;
    if (accepted.closed || (!this.#lingers && this.#waiting === 0)) return false;
    this.waits(true);
    try {
      await accepted.closeWrite();
      return true;
    } catch {
      return false; // it broke: there is nothing more to be saved
    } finally {
      this.waits(false);
    }
  }

  /** Whether the peer may have sent what nobody received. */
  get #lingers(): boolean {
    return !this.#peerEnded && this.#lingerTimeoutMs > 0;
  }

  async #linger(): Promise<void> {
    const { accepted } = this;
    let timer: Timer | undefined;
    try {
      let next = accepted.receiveSome();
      const comes = await Promise.race([next, nextTurn()]);
      if (comes === undefined) this.#close();
      else {
        timer = startTimer(this.#lingerTimeoutMs, () => this.#close());
        timer.ref();
      }
      while ((await next).length > 0) next = accepted.receiveSome();
    } catch {
      // It is closed, or broke: there is nothing more to be saved.
    } finally {
      stopTimer(timer);
    }
  }

  #stopTimers(): void {
    stopTimer(this.#idle);
    stopTimer(this.#total);
    // A call that the handler has left behind begins none anew.
    this.#idle = undefined;
    this.#total = undefined;
  }

  /** What close(2) may report is nobody's concern: the conversation is over. */
  #close(): void {
    try {
      this.accepted.close();
    } catch {}
  }
}
