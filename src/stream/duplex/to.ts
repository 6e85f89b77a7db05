// A stream as a Node Duplex that programs take for a net.Socket: node:http, node:http2 and packages run over it unchanged.
// Bytes go through Node's own Readable and Writable; what of a net.Socket is not theirs is here and in socket-face.ts.
//
// What is net.Socket's way and not Duplex's own: reading begins at once, so that a peer that has gone is noticed;
// allowHalfOpen is false, so that a peer's end is answered with ours; "close" says whether there was an error.

import { Duplex } from "node:stream";
import { startTimer, stopTimer } from "../../engine/clock.ts";
import type { Timer } from "../../engine/clock.ts";
import { ECANCELED, ENOTCONN, SocketError } from "../../index.ts";
import { checkInteger } from "../../socket/base.ts";
import { invalidArgument } from "../../socket/errors.ts";
import type { Progress } from "../../index.ts";
import { tell } from "../adapted.ts";
import type { ByteStream, StreamOptions } from "../byte-stream.ts";
import { SocketStream } from "../socket-stream.ts";
import { nodeAddress, resetAtClose, setKeepAlive, setNoDelay, setReferenced } from "./socket-face.ts";
import type { NodeAddress } from "./socket-face.ts";

/** Bytes asked of the stream at a time: as many as net.Socket reads. */
const RECEIVE_BYTES = 65_536;
/** Pieces that are written together are joined up to this size; beyond it to gather them (sendmsg) costs less. */
const JOIN_BYTES_MAX = 16_384;
/** IOV_MAX of Linux: pieces of one sendmsg. */
const PIECES_MAX = 1024;
/** Most that a timer takes. */
const TIMEOUT_MS_MAX: number = 2 ** 31 - 1;

type Done = (error?: Error | null) => void;

/** What toDuplex takes last. */
export interface ToDuplexOptions {
  /** Whether sending goes on after the peer's end; otherwise it is answered with ours. Default false, as of net.Socket. */
  allowHalfOpen?: boolean | undefined;
  /** Bytes that are received ahead, and held for sending before write() says false. Default Node's own. */
  highWaterMark?: number | undefined;
}

/** A Duplex over a stream, with what programs expect of a net.Socket. Make one with toDuplex(). */
export class StreamDuplex extends Duplex {
  #stream: ByteStream | undefined = undefined;
  /** What waits for the connection. */
  #pending: ((stream: ByteStream) => void)[] = [];
  #receiving = false;
  #received = 0;
  #sent = 0;
  /** The write that is under way. */
  #sending = 0;
  #done: Done = () => undefined;
  #idle: Timer | undefined = undefined;
  #timeoutMs: number | undefined = undefined;
  /** Of the send that is under way, while there is a timeout: how far it is, and how far it was at the last look. */
  #progress: Progress = { bytes: 0 };
  #seen = 0;

  /** @internal */
  constructor(stream: ByteStream | Promise<ByteStream>, options: ToDuplexOptions) {
    const { allowHalfOpen = false, highWaterMark } = options;
    // "close" comes from _destroy, with its argument.
    const common = { allowHalfOpen, emitClose: false, autoDestroy: true };
    super(highWaterMark === undefined ? common : { ...common, highWaterMark });
    if (stream instanceof Promise) {
      stream.then(
        (connected) => this.#connected(connected),
        (error: unknown) => this.destroy(error as Error),
      );
    } else this.#stream = stream;
    this.read(0);
  }

  /** The stream beneath; undefined while it is being connected. */
  get stream(): ByteStream | undefined {
    return this.#stream;
  }

  override _read(): void {
    if (this.#stream === undefined) this.#pending.push(this.#receive);
    else this.#receive(this.#stream);
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    if (this.#stream === undefined) this.#later([chunk], done);
    else this.#send(this.#stream, [chunk], done);
  }

  override _writev(chunks: { chunk: Buffer; encoding: BufferEncoding }[], done: Done): void {
    const pieces = chunks.map(({ chunk }) => chunk);
    if (this.#stream === undefined) this.#later(pieces, done);
    else this.#send(this.#stream, pieces, done);
  }

  override _final(done: Done): void {
    this.#soon((stream) => tell(stream.closeWrite(), done as (error?: unknown) => void));
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#pending = [];
    stopTimer(this.#idle);
    this.#idle = undefined;
    // A write that waits for the connection waits for nothing any more; others fail as the stream is closed.
    if (this.#stream === undefined) this.#done(error ?? new SocketError("connect", -ECANCELED));
    try {
      this.#stream?.close();
      done(error);
    } catch (closing) {
      done(error ?? (closing as Error));
    }
    // Behind "error", which Node emits in its next tick.
    process.nextTick(() => this.emit("close", error !== null));
  }

  #connected(stream: ByteStream): void {
    if (this.destroyed) {
      stream.close();
      return;
    }
    this.#stream = stream;
    const pending = this.#pending;
    this.#pending = [];
    this.#active();
    // As of net.Socket: what was asked before is done before the program is told.
    for (const call of pending) call(stream);
    if (this.destroyed) return;
    this.emit("connect");
    this.emit("ready");
  }

  readonly #receive = (stream: ByteStream): void => {
    if (this.#receiving) return;
    this.#receiving = true;
    stream.receiveSome(RECEIVE_BYTES).then(this.#arrived, this.#failed);
  };

  readonly #arrived = (bytes: Buffer): void => {
    this.#receiving = false;
    if (this.destroyed) return;
    this.#active();
    this.#received += bytes.length;
    this.push(bytes.length === 0 ? null : bytes);
    // Nobody may be reading, and the end must come all the same when there is nothing before it.
    if (bytes.length === 0 && this.readableLength === 0) this.read(0);
  };

  readonly #failed = (error: unknown): void => {
    this.#receiving = false;
    this.destroy(error as Error);
  };

  #later(pieces: readonly Buffer[], done: Done): void {
    this.#done = done;
    this.#pending.push((stream) => this.#send(stream, pieces, done));
  }

  // Node writes one at a time, so that what is under way needs no closure of its own.
  #send(stream: ByteStream, pieces: readonly Buffer[], done: Done): void {
    this.#active();
    this.#done = done;
    this.#sending = pieces.length === 1 ? (pieces[0] as Buffer).length : totalOf(pieces);
    const gather = pieces.length > 1 && this.#sending > JOIN_BYTES_MAX && stream instanceof SocketStream;
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : gather ? undefined : Buffer.concat(pieces);
    const sent =
      bytes === undefined
        ? sendGathered(stream as SocketStream, pieces)
        : stream.sendAll(bytes, this.#watched());
    sent.then(this.#written, this.#refused);
  }

  readonly #written = (): void => {
    this.#active();
    this.#sent += this.#sending;
    this.#done();
  };

  readonly #refused = (error: unknown): void => this.#done(error as Error);

  #active(): void {
    if (this.#idle !== undefined) this.#idle.refresh();
  }

  /** Options by which a long send tells how far it is, while somebody wants to know. */
  #watched(): StreamOptions | undefined {
    if (this.#idle === undefined) return undefined;
    this.#progress = { bytes: 0 };
    this.#seen = 0;
    const options: StreamOptions & { progress: Progress } = { progress: this.#progress };
    return options;
  }

  readonly #expired = (): void => {
    const moved = this.#progress.bytes !== this.#seen;
    this.#seen = this.#progress.bytes;
    if (moved && this.writableLength > 0) this.#idle?.refresh();
    else this.emit("timeout");
  };

  /** Makes the call now, or when there is a connection. */
  #soon(call: (stream: ByteStream) => void): this {
    if (this.#stream !== undefined) call(this.#stream);
    else if (!this.destroyed) this.#pending.push(call);
    return this;
  }

  /** Whether the stream is still being connected. */
  get connecting(): boolean {
    return this.#stream === undefined && !this.destroyed;
  }

  /** Whether there is no connection: not yet, or no longer. */
  get pending(): boolean {
    return this.#stream === undefined || this.destroyed;
  }

  /** As of net.Socket: "opening", "open", "readOnly", "writeOnly", "closed". */
  get readyState(): "opening" | "open" | "readOnly" | "writeOnly" | "closed" {
    if (this.connecting) return "opening";
    if (this.readable) return this.writable ? "open" : "readOnly";
    return this.writable ? "writeOnly" : "closed";
  }

  /** Bytes received. */
  get bytesRead(): number {
    return this.#received;
  }

  /** Bytes sent, and bytes that wait to be. */
  get bytesWritten(): number {
    return this.#sent + this.writableLength;
  }

  get localAddress(): string | undefined {
    return nodeAddress(this.#stream?.localAddress)?.address;
  }

  get localPort(): number | undefined {
    return nodeAddress(this.#stream?.localAddress)?.port;
  }

  get localFamily(): string | undefined {
    return nodeAddress(this.#stream?.localAddress)?.family;
  }

  get remoteAddress(): string | undefined {
    return nodeAddress(this.#stream?.remoteAddress)?.address;
  }

  get remotePort(): number | undefined {
    return nodeAddress(this.#stream?.remoteAddress)?.port;
  }

  get remoteFamily(): string | undefined {
    return nodeAddress(this.#stream?.remoteAddress)?.family;
  }

  /** This side's end; `{}` where there is none to tell. */
  address(): NodeAddress | Record<string, never> {
    return nodeAddress(this.#stream?.localAddress) ?? {};
  }

  /** What setTimeout() was given; undefined: nothing. */
  get timeout(): number | undefined {
    return this.#timeoutMs;
  }

  /**
   * Emits "timeout" after so many milliseconds without a byte in either direction; the connection stays. 0: never.
   *
   * @throws {RangeError} ERR_OUT_OF_RANGE. @throws {TypeError} ERR_INVALID_ARG_TYPE.
   */
  setTimeout(timeoutMs: number, callback?: () => void): this {
    if (typeof timeoutMs !== "number") throw invalidArgument("timeoutMs", "a number", timeoutMs);
    const ms = Math.min(Math.ceil(timeoutMs), TIMEOUT_MS_MAX);
    checkInteger("timeoutMs", ms, 0, TIMEOUT_MS_MAX);
    stopTimer(this.#idle);
    this.#idle = undefined;
    this.#timeoutMs = ms;
    if (callback !== undefined) this.removeListener("timeout", callback);
    if (ms === 0 || this.destroyed) return this;
    if (callback !== undefined) this.once("timeout", callback);
    this.#idle = startTimer(ms, this.#expired);
    return this;
  }

  /** TCP_NODELAY, which streams of TCP have from the start. Of other streams: nothing. */
  setNoDelay(noDelay: boolean = true): this {
    return this.#soon((stream) => setNoDelay(stream, noDelay));
  }

  /** SO_KEEPALIVE of a TCP socket; `initialDelayMs` 0 leaves the time as it is. Of other streams: nothing. */
  setKeepAlive(enable: boolean = false, initialDelayMs: number = 0): this {
    return this.#soon((stream) => setKeepAlive(stream, enable, initialDelayMs));
  }

  /** What waits for a socket keeps the process alive, as from the start. */
  ref(): this {
    return this.#soon((stream) => setReferenced(stream, true));
  }

  /** What waits for a socket does not keep the process alive. */
  unref(): this {
    return this.#soon((stream) => setReferenced(stream, false));
  }

  /** Ends, and destroys when all is sent. */
  destroySoon(): void {
    if (this.writable) this.end();
    if (this.writableFinished) this.destroy();
    else this.once("finish", () => this.destroy());
  }

  /** Closes with a reset (RST) where the stream is TCP's, and otherwise as destroy() does. */
  resetAndDestroy(): this {
    if (this.#stream === undefined)
      return this.destroy(new SocketError("shutdown", -ENOTCONN, { text: "it is not connected yet" }));
    if (!this.destroyed) resetAtClose(this.#stream);
    return this.destroy();
  }
}

const totalOf = (pieces: readonly Buffer[]): number => pieces.reduce((sum, { length }) => sum + length, 0);

/** All pieces, in as few calls as the kernel takes them; it may stop anywhere. */
async function sendGathered(stream: SocketStream, given: readonly Uint8Array[]): Promise<void> {
  const pieces = given.filter(({ length }) => length > 0);
  for (let first = 0; first < pieces.length; ) {
    let sent = await stream.socket.sendmsg(pieces.slice(first, first + PIECES_MAX));
    while (sent > 0) {
      const piece = pieces[first] as Uint8Array;
      if (sent < piece.length) {
        pieces[first] = piece.subarray(sent);
        break;
      }
      sent -= piece.length;
      first++;
    }
  }
}

/**
 * Makes a Duplex of a stream, which belongs to it from now on, for programs that want a net.Socket: `createConnection` of
 * node:http, `server.emit("connection", …)`, packages. It reads ahead, as a net.Socket does. Closing: end() ends this
 * side's sending, destroy() closes the stream.
 *
 * @param stream  or the promise of one: it is `connecting` until then, and emits "connect" and "ready", or "error".
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: no stream.
 * @see https://nodejs.org/api/net.html#class-netsocket
 */
export function toDuplex(
  stream: ByteStream | Promise<ByteStream>,
  options: ToDuplexOptions = {},
): StreamDuplex {
  if (!(stream instanceof Promise) && typeof stream?.receiveSome !== "function")
    throw invalidArgument("stream", "a ByteStream", stream);
  return new StreamDuplex(stream, options);
}
