// How bytes come from one socket to another: through a pipe, which the kernel fills and empties without a copy (splice),
// or through memory. Each is asked to take in once and to give out until nothing is held; what it holds when somebody
// fails can be had back. Waiting is not its business: -EAGAIN goes out.

import type { SocketCalls } from "../../native/calls.ts";
import { EMSGSIZE, MSG_NOSIGNAL, MSG_TRUNC, SOCK_STREAM } from "../../constants/index.ts";

/** macOS has SO_NOSIGPIPE instead, which is set on the descriptor. */
const NO_SIGNAL = MSG_NOSIGNAL > 0 ? MSG_NOSIGNAL : 0;

/** Bytes of a pipe as the system makes it: 16 pages, pipe(7). */
const PIPE_BYTES = 65_536;
/** Room of a pipe that is much used, and most bytes on the way in one direction: /proc/sys/fs/pipe-max-size. */
const PIPE_BYTES_MAX = 1_048_576;
/** A pipe is much used when it was filled so often without a wait. A user's pipes together have a limit, pipe(7). */
const BUSY_FILLS = 4;
/** Bytes of one receive where there is no pipe. */
const STREAM_BYTES = 65_536;
/** The same for sockets that keep message boundaries: the largest message that is relayed. */
const MESSAGE_BYTES = 1_048_576;

/** Bytes on their way between two sockets. */
export interface Transit {
  readonly method: "splice" | "copy";
  /** Bytes taken in and not given out. */
  readonly held: number;
  /** Whether something must be given out; also an empty message. */
  readonly full: boolean;
  /** Takes in once, when nothing is held: bytes; 0: the end; -errno. */
  takeIn(from: number): number;
  /** Gives out once: bytes; -errno. */
  giveOut(to: number): number;
  /** What is held, taken back. */
  recover(): Buffer;
  /** Of no use any more. */
  close(): void;
}

/** A pipe between two streams. */
export class PipeTransit implements Transit {
  readonly method = "splice";
  held = 0;
  readonly #calls: SocketCalls;
  readonly #out: number;
  readonly #in: number;
  #size = PIPE_BYTES;
  /** How often in a row there was something to take in. */
  #fills = 0;

  private constructor(calls: SocketCalls, out: number, into: number) {
    this.#calls = calls;
    this.#out = out;
    this.#in = into;
  }

  /** Opens one; undefined: there is no pipe to be had. */
  static open(calls: SocketCalls): PipeTransit | undefined {
    const pair = new Int32Array(2);
    if (calls.pipe(pair) < 0) return undefined;
    const [out, into] = [...pair] as [number, number];
    return new PipeTransit(calls, out, into);
  }

  get full(): boolean {
    return this.held > 0;
  }

  takeIn(from: number): number {
    const count = this.#calls.splice(from, this.#in, this.#size);
    if (count > 0) this.held = count;
    if (count <= 0) this.#fills = 0;
    // Refused (EPERM) to who has many: the pipe stays small then, which costs calls and nothing else.
    else if (++this.#fills === BUSY_FILLS)
      this.#size = Math.max(this.#size, this.#calls.set_pipe_size(this.#in, PIPE_BYTES_MAX));
    return count;
  }

  giveOut(to: number): number {
    const count = this.#calls.splice(this.#out, to, this.held);
    if (count > 0) this.held -= count;
    return count;
  }

  recover(): Buffer {
    const into = Buffer.alloc(this.held);
    let length = 0;
    while (length < into.length) {
      const count = this.#calls.read(this.#out, into, length, into.length - length);
      if (count <= 0) break;
      length += count;
    }
    this.held = 0;
    return into.subarray(0, length);
  }

  close(): void {
    this.#calls.close(this.#out);
    this.#calls.close(this.#in);
  }
}

/** Memory between two sockets of any kind; messages stay whole. */
export class CopyTransit implements Transit {
  readonly method = "copy";
  readonly #calls: SocketCalls;
  readonly #messages: boolean;
  readonly #memory: Buffer;
  #start = 0;
  #end = 0;
  full = false;

  /** @param type  SOCK_*, of the socket that is received from. @param held  bytes that come first. */
  constructor(calls: SocketCalls, type: number, held: Buffer = NOTHING) {
    this.#calls = calls;
    this.#messages = type !== SOCK_STREAM;
    this.#memory = Buffer.allocUnsafeSlow(
      Math.max(this.#messages ? MESSAGE_BYTES : STREAM_BYTES, held.length),
    );
    this.#end = held.copy(this.#memory);
    this.full = held.length > 0;
  }

  get held(): number {
    return this.#end - this.#start;
  }

  takeIn(from: number): number {
    const memory = this.#memory;
    const count = this.#calls.recv(from, memory, 0, memory.length, this.#messages ? MSG_TRUNC : 0);
    if (count < 0) return count;
    this.#start = 0;
    this.#end = Math.min(count, memory.length);
    this.full = true;
    return count > memory.length ? -EMSGSIZE : count;
  }

  giveOut(to: number): number {
    const count = this.#calls.send(to, this.#memory, this.#start, this.held, NO_SIGNAL);
    if (count < 0) return count;
    this.#start += count;
    this.full = this.held > 0;
    return count;
  }

  recover(): Buffer {
    const rest = Buffer.from(this.#memory.subarray(this.#start, this.#end));
    this.#start = this.#end = 0;
    this.full = false;
    return rest;
  }

  close(): void {}
}

const NOTHING = Buffer.alloc(0);
