// relay(): everything from one socket to the other and back, until both have ended. How one direction goes is told in
// relay/; here is when both stop, and what is known then.

import type { Timer } from "../engine/clock.ts";
import { listen, stopListening } from "../engine/signal.ts";
import { TIMEOUT_MS_MAX, checkTimeout } from "./base.ts";
import type { WaitOptions } from "./base.ts";
import { TimeoutError, invalidArgument } from "./errors.ts";
import { Direction } from "./relay/direction.ts";
import type { RelayDirection } from "./relay/direction.ts";
import { Socket } from "./socket.ts";

export type { RelayDirection } from "./relay/direction.ts";

/** What became of a relay; kept current while it runs. */
export interface RelayReport {
  /** From the first socket to the second. */
  forward: RelayDirection;
  /** From the second to the first. */
  backward: RelayDirection;
}

/** What relay() takes last. */
export interface RelayOptions extends WaitOptions {
  /** Seconds without a byte in either direction after which it ends with a TimeoutError; `null` (default): none. */
  idle_timeout?: number | null | undefined;
  /** Filled in at the beginning and kept current, whatever ends the call: how far it came, and what was on the way. */
  report?: Partial<RelayReport> | undefined;
}

/**
 * Relays between two connected sockets, both ways, until both peers have ended: what one sends the other receives, and
 * where one ends (half-closes) the other is told. Between streams the bytes stay inside the kernel (splice(2) through a
 * pipe); where it refuses, and between sockets that keep message boundaries, they go through memory, a message at a
 * time. Who does not receive is not sent to: at most 1 MiB is on the way in each direction.
 *
 * The sockets stay open and are the caller's to close; their own timeouts do not count here. An urgent byte is not
 * relayed. Between datagram sockets there is no end: abort it.
 *
 * @returns for each direction how many bytes were delivered and by which way.
 * @throws {SocketError} what either socket meets: ECONNRESET, EPIPE…; ECANCELED: one was closed meanwhile; EMSGSIZE: a
 *   message over 1 MiB. The other direction is stopped; `options.report` has what had been taken from a sender and
 *   could not be delivered, so that no byte is lost.
 * @throws {TimeoutError} ETIMEDOUT: idle for `idle_timeout`. @throws the signal's reason.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE: idle_timeout.
 * @see splice(2), pipe(7)
 */
export async function relay(a: Socket, b: Socket, options: RelayOptions = {}): Promise<RelayReport> {
  for (const [name, socket] of Object.entries({ a, b }))
    if (!(socket instanceof Socket)) throw invalidArgument(name, "a Socket", socket);
  const idle = checkTimeout(options.idle_timeout ?? null);
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgument("options.signal", "an AbortSignal", signal);
  signal?.throwIfAborted();

  const { backend } = a.engine;
  let timer: Timer | undefined;
  let over: { readonly reason: unknown } | undefined;
  const stop = (reason: unknown): void => {
    over ??= { reason };
    forward.stop(reason);
    backward.stop(reason);
  };
  const moved = (): void => {
    if (idle === null || idle * 1000 > TIMEOUT_MS_MAX || over !== undefined) return;
    if (timer !== undefined) backend.clearTimer(timer);
    timer = backend.setTimer(() => stop(new TimeoutError("relay", idle)), idle * 1000);
  };
  const abort = (): void => stop(signal?.reason);
  const forward = new Direction(a, b, moved);
  const backward = new Direction(b, a, moved);
  const report: RelayReport = { forward: forward.report, backward: backward.report };
  try {
    Object.assign(options.report ?? {}, report);
  } catch (error) {
    stop(error); // a report that takes nothing; what the directions have open is closed below
  }
  if (signal !== undefined) listen(signal, abort);
  moved();
  try {
    await Promise.all([forward.run().catch(stop), backward.run().catch(stop)]);
  } finally {
    if (signal !== undefined) stopListening(signal, abort);
    if (timer !== undefined) backend.clearTimer(timer);
  }
  if (over !== undefined) throw (over as { reason: unknown }).reason;
  return report;
}
