// What the engine keeps about one open descriptor: what is known of its readiness and who waits on it.
// It is plain state; every move of it is in engine.ts. It knows no socket and no system call.

import type { Engine } from "./engine.ts";
import type { Operation } from "./operation.ts";

/** Direction of a waiting operation, and interest and event bits of native/readiness.c. */
export const READ = 1;
export const WRITE = 2;
/** Event bit: the peer's end, or an error. It stays. */
export const END = 4;
/** Event bit: urgent data. */
export const URGENT = 8;
/** Direction of who waits for the error queue (MSG_ERRQUEUE). END's bit: as interest it asks for nothing, for errors are always told. */
export const ERRORS = 4;

// Flags of a descriptor, kept in one word: a server has a descriptor per idle connection, and a word is 8 bytes.
const READABLE = 1;
const WRITABLE = 2;
const ENDED = 4;
const SHORT_READ_IS_DRY = 8;
const REFERENCED = 16;
const DEFERRED = 32;
const WRITE_NOISE = 64;
const FAILING = 128;
const INTEREST_SHIFT = 8;
const INTEREST_MASK: number = 0xff << INTEREST_SHIFT;

/** What a socket shares with those that it accepts, so that an idle connection does not hold it again. */
export interface Kind {
  readonly engine: Engine;
  readonly family: number;
  readonly type: number;
  readonly proto: number;
  /** MSG_* bits that every send has. */
  readonly sendFlags: number;
  /** MSG_* bits that every receive of messages with control data has. */
  readonly messageFlags: number;
  /** Where the program made it. */
  readonly stack?: string;
}

/** One open descriptor under the engine. */
export class Descriptor {
  readonly kind: Kind;
  /** The number, or -1 once closed or given away. */
  fd: number;
  /** Told apart from an earlier user of the same number. */
  readonly generation: number;
  #flags: number;
  /** Who waits: the youngest (queues.ts). */
  reads: Operation | null = null;
  writes: Operation | null = null;

  constructor(kind: Kind, fd: number, generation: number, shortReadIsDry: boolean) {
    this.kind = kind;
    this.fd = fd;
    this.generation = generation;
    this.#flags =
      READABLE | WRITABLE | FAILING | REFERENCED | (shortReadIsDry ? SHORT_READ_IS_DRY : WRITE_NOISE);
  }

  /** A read may succeed: true until one said EAGAIN, and again after an event. */
  get readable(): boolean {
    return (this.#flags & READABLE) !== 0;
  }
  set readable(on: boolean) {
    this.#set(READABLE, on);
  }

  /** A write may succeed, likewise. */
  get writable(): boolean {
    return (this.#flags & WRITABLE) !== 0;
  }
  set writable(on: boolean) {
    this.#set(WRITABLE, on);
  }

  /** The error queue may have something, likewise. */
  get failing(): boolean {
    return (this.#flags & FAILING) !== 0;
  }
  set failing(on: boolean) {
    this.#set(FAILING, on);
  }

  /** The peer's end or an error was seen: a short read proves nothing any more. */
  get ended(): boolean {
    return (this.#flags & ENDED) !== 0;
  }
  set ended(on: boolean) {
    this.#set(ENDED, on);
  }

  /** A read that returns less than was asked has emptied the descriptor (epoll(7), true of TCP). */
  get shortReadIsDry(): boolean {
    return (this.#flags & SHORT_READ_IS_DRY) !== 0;
  }
  set shortReadIsDry(on: boolean) {
    this.#set(SHORT_READ_IS_DRY, on);
  }

  /**
   * "Writable" is told each time the kernel is done with something sent, whether or not anybody waited for room, as
   * sockets without TCP's accounting do: it is listened to only while somebody waits.
   */
  get writeNoise(): boolean {
    return (this.#flags & WRITE_NOISE) !== 0;
  }

  /** What waits on it keeps the process alive. */
  get referenced(): boolean {
    return (this.#flags & REFERENCED) !== 0;
  }
  set referenced(on: boolean) {
    this.#set(REFERENCED, on);
  }

  /** It is already in the list for the next turn. */
  get deferred(): boolean {
    return (this.#flags & DEFERRED) !== 0;
  }
  set deferred(on: boolean) {
    this.#set(DEFERRED, on);
  }

  /** Bits that the poller watches; 0 = not registered yet. */
  get interest(): number {
    return (this.#flags & INTEREST_MASK) >> INTEREST_SHIFT;
  }
  set interest(bits: number) {
    this.#flags = (this.#flags & ~INTEREST_MASK) | (bits << INTEREST_SHIFT);
  }

  #set(flag: number, on: boolean): void {
    this.#flags = on ? this.#flags | flag : this.#flags & ~flag;
  }
}
