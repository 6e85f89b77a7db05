// What serve() may be told: names, defaults and where they come from, and what is refused. It does nothing with them.

import { TIMEOUT_MS_MAX, checkInteger } from "../socket/base.ts";
import { invalidArgument, outOfRange } from "../socket/errors.ts";
import type { ByteStream } from "../stream/index.ts";
import type { Connection } from "./connection.ts";

/** Half of the usual 1024 descriptors (getrlimit(2)): a handler that opens one of its own finds room. */
const CONNECTIONS_MAX = 512;
/** Five minutes: RFC 5321 section 4.5.3.2.7, what a server of mail shall at least wait for a command. IMAP asks for 30. */
const IDLE_TIMEOUT_MS = 300_000;
/** Less than the 10 s after which `docker stop` kills; systemd and Kubernetes wait longer. */
const DRAIN_TIMEOUT_MS = 8_000;

/** As Apache (SECONDS_TO_LINGER); nginx takes 5 s. */
const LINGER_TIMEOUT_MS = 2_000;

/** What serve() takes last. Times are milliseconds above 0; Infinity: no limit. */
export interface ServeOptions<S extends ByteStream = ByteStream> {
  /** Handlers at once. What connects beyond that waits in the kernel's queue: it is not accepted. Default 512. */
  connectionsMax?: number | undefined;
  /**
   * How long a connection may wait for its peer (in receiveSome, sendAll or closeWrite) while no byte moves in either
   * direction. Time in which the handler does something else does not count. Default 300000 (5 min).
   */
  idleTimeoutMs?: number | undefined;
  /** How long a connection may last. Default Infinity. */
  totalTimeoutMs?: number | undefined;
  /**
   * How long a connection is kept whose handler has returned without receiving all that had come, for the peer to end too:
   * closed at once, the peer might not get what was sent. 0: not at all. Default 2000.
   */
  lingerTimeoutMs?: number | undefined;
  /** How long shutdown() lets handlers finish before it ends their connections. Default 8000. */
  drainTimeoutMs?: number | undefined;
  /**
   * Told what a handler threw, before its stream is closed. Default: a process warning, code BERKELEY_HANDLER; none where the connection broke, or the
   * peer broke its protocol's rules (RemoteProtocolError), which happens every day.
   */
  onError?: ((error: unknown, connection: Connection<S>) => void) | undefined;
  /** Shuts the server down, as shutdown() does. */
  signal?: AbortSignal | undefined;
}

/** All of them, checked. */
export interface CheckedOptions<S extends ByteStream> {
  readonly connectionsMax: number;
  readonly idleTimeoutMs: number;
  readonly totalTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly lingerTimeoutMs: number;
  readonly onError: ServeOptions<S>["onError"];
  readonly signal: AbortSignal | undefined;
}

/** A time above 0, or Infinity, which stands for all that a timer cannot. */
export function checkTime(name: string, ms: number): number {
  if (typeof ms !== "number") throw invalidArgument(name, "a number", ms);
  if (!(ms > 0)) throw outOfRange(name, "above 0", ms);
  return ms > TIMEOUT_MS_MAX ? Infinity : ms;
}

/** Likewise, or 0. */
export function checkTimeOrNone(name: string, ms: number): number {
  return ms === 0 ? 0 : checkTime(name, ms);
}

function checkFunction<F>(name: string, value: F | undefined): F | undefined {
  if (value !== undefined && typeof value !== "function") throw invalidArgument(name, "a function", value);
  return value;
}

/** @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option. */
export function checkOptions<S extends ByteStream>(options: ServeOptions<S>): CheckedOptions<S> {
  const { signal } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw invalidArgument("options.signal", "an AbortSignal", signal);
  return {
    connectionsMax: checkInteger(
      "options.connectionsMax",
      options.connectionsMax ?? CONNECTIONS_MAX,
      1,
      2 ** 31 - 1,
    ),
    idleTimeoutMs: checkTime("options.idleTimeoutMs", options.idleTimeoutMs ?? IDLE_TIMEOUT_MS),
    totalTimeoutMs: checkTime("options.totalTimeoutMs", options.totalTimeoutMs ?? Infinity),
    drainTimeoutMs: checkTime("options.drainTimeoutMs", options.drainTimeoutMs ?? DRAIN_TIMEOUT_MS),
    lingerTimeoutMs: checkTimeOrNone("options.lingerTimeoutMs", options.lingerTimeoutMs ?? LINGER_TIMEOUT_MS),
    onError: checkFunction("options.onError", options.onError),
    signal,
  };
}
