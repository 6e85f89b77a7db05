// Everything from one stream to another, one way or both: with backpressure, and inside the kernel where both are sockets.
// It closes neither; what the bytes are it does not know.

import type { Timer } from "../engine/clock.ts";
import { currentEngine } from "../engine/current.ts";
import { listen, stopListening } from "../engine/signal.ts";
import { relay } from "../index.ts";
import type { Progress, RelayDirection, RelayReport } from "../index.ts";
import { checkInteger } from "../socket/base.ts";
import { TimeoutError } from "../socket/errors.ts";
import { Direction } from "../socket/relay/direction.ts";
import type { ByteStream, StreamOptions } from "./byte-stream.ts";
import { HandedOverStream } from "./handed-over.ts";
import { SocketStream } from "./socket-stream.ts";

const NOTHING: Buffer = Buffer.alloc(0);
/** Most that setTimeout takes. */
const IDLE_MS_MAX: number = 2 ** 31 - 1;

/** What pipe() takes last. */
export interface PipeOptions extends StreamOptions {
  /** When `from` has ended, end `to` (closeWrite). Default true. */
  end?: boolean | undefined;
  /** Filled in at the beginning and kept current, whatever ends the call: how far it came, and what was on the way. */
  report?: Partial<RelayDirection> | undefined;
}

/** What pipeBoth() takes last. */
export interface PipeBothOptions extends StreamOptions {
  /** Milliseconds without a byte in either direction after which it fails with a TimeoutError. Default none. */
  idleTimeoutMs?: number | undefined;
  /** Filled in at the beginning and kept current, whatever ends the call. */
  report?: Partial<RelayReport> | undefined;
}

/** The sockets of two streams between which the kernel can move bytes; undefined: not here. */
function sockets(
  from: ByteStream,
  to: ByteStream,
): [SocketStream["socket"], SocketStream["socket"]] | undefined {
  if (!(from instanceof SocketStream && to instanceof SocketStream)) return undefined;
  return from.socket.engine === to.socket.engine ? [from.socket, to.socket] : undefined;
}

/** One direction; the report is kept current. `moved` is called each time that bytes have moved. */
async function move(
  from: ByteStream,
  to: ByteStream,
  report: RelayDirection,
  moved: () => void,
  { end = true, signal }: PipeOptions,
): Promise<void> {
  let source = from;
  if (from instanceof HandedOverStream && !from.closed) {
    const { first, stream } = from.unwrap();
    if (first.length > 0) await deliver(first, to, report, moved, signal);
    source = stream;
  }
  const pair = sockets(source, to);
  if (pair === undefined)
    for (;;) {
      const bytes = await source.receiveSome(undefined, { signal });
      moved();
      if (bytes.length === 0) break;
      await deliver(bytes, to, report, moved, signal);
    }
  else await splice(...pair, report, moved, signal);
  if (end) await to.closeWrite({ signal });
  report.ended = true;
}

async function deliver(
  bytes: Buffer,
  to: ByteStream,
  report: RelayDirection,
  moved: () => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  // A socket tells how far it came; other streams do not, and then all of the bytes may or may not have been delivered.
  const progress: Progress = { bytes: 0 };
  const options: StreamOptions & { progress: Progress } = { signal, progress };
  report.undelivered = bytes;
  try {
    await to.sendAll(bytes, options);
  } catch (error) {
    report.bytes += progress.bytes;
    report.undelivered = bytes.subarray(progress.bytes);
    throw error;
  }
  report.bytes += bytes.length;
  report.undelivered = NOTHING;
  moved();
}

async function splice(
  from: SocketStream["socket"],
  to: SocketStream["socket"],
  report: RelayDirection,
  moved: () => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const before = report.bytes;
  const copyOut = (): void => {
    report.bytes = before + direction.report.bytes;
    report.method = direction.report.method;
    report.undelivered = direction.report.undelivered;
  };
  const direction: Direction = new Direction(from, to, () => {
    copyOut();
    moved();
  });
  const abort = (): void => direction.stop(signal?.reason);
  if (signal !== undefined) listen(signal, abort);
  try {
    await direction.run(false);
  } finally {
    if (signal !== undefined) stopListening(signal, abort);
    copyOut();
  }
}

function begin(into: Partial<RelayDirection> | undefined): RelayDirection {
  return Object.assign(into ?? {}, {
    bytes: 0,
    method: "copy",
    ended: false,
    undelivered: NOTHING,
  });
}

/**
 * Sends everything that `from` gives to `to`, until `from` ends. Who does not receive is not sent to: at most what one
 * receive brings is on the way, between two sockets at most 1 MiB inside the kernel (splice(2)).
 *
 * Both streams stay open and are the caller's to close. When it fails, `options.report` has what was taken from `from`
 * and not delivered; where `to` is no socket's stream the last piece stands there whole, and the peer may have had a part.
 *
 * @returns how many bytes were delivered, and by which way.
 * @throws as ByteStream.receiveSome() of the one and ByteStream.sendAll() of the other. @throws the signal's reason.
 */
export async function pipe(
  from: ByteStream,
  to: ByteStream,
  options: PipeOptions = {},
): Promise<RelayDirection> {
  options.signal?.throwIfAborted();
  const report = begin(options.report);
  await move(from, to, report, () => undefined, options);
  return report;
}

/**
 * Relays between two streams, both ways, until both have ended: where one ends, the other is told. When one direction
 * fails the other is stopped. Otherwise as pipe().
 *
 * @returns for each direction how many bytes were delivered and by which way.
 * @throws as pipe(). @throws {TimeoutError} ETIMEDOUT: idle for `idleTimeoutMs`. @throws {RangeError} ERR_OUT_OF_RANGE.
 */
export async function pipeBoth(
  a: ByteStream,
  b: ByteStream,
  options: PipeBothOptions = {},
): Promise<RelayReport> {
  const { idleTimeoutMs, signal } = options;
  if (idleTimeoutMs !== undefined) checkInteger("options.idleTimeoutMs", idleTimeoutMs, 1, IDLE_MS_MAX);
  signal?.throwIfAborted();
  const pair = sockets(a, b);
  if (pair !== undefined) {
    const idle_timeout = idleTimeoutMs === undefined ? null : idleTimeoutMs / 1000;
    return await relay(...pair, { signal, idle_timeout, report: options.report });
  }
  const report = { forward: begin(undefined), backward: begin(undefined) };
  Object.assign(options.report ?? {}, report);
  const over = new AbortController();
  const stop = (reason: unknown): void => over.abort(reason);
  const abort = (): void => stop(signal?.reason);
  const { backend } = currentEngine();
  let timer: Timer | undefined;
  const moved = (): void => {
    if (idleTimeoutMs === undefined || over.signal.aborted) return;
    if (timer !== undefined) backend.clearTimer(timer);
    timer = backend.setTimer(() => stop(new TimeoutError("pipe", idleTimeoutMs / 1000)), idleTimeoutMs);
  };
  const inner = { signal: over.signal };
  if (signal !== undefined) listen(signal, abort);
  moved();
  try {
    await Promise.all([
      move(a, b, report.forward, moved, inner).catch(stop),
      move(b, a, report.backward, moved, inner).catch(stop),
    ]);
  } finally {
    if (signal !== undefined) stopListening(signal, abort);
    if (timer !== undefined) backend.clearTimer(timer);
  }
  over.signal.throwIfAborted();
  return report;
}
