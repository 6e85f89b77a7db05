// What may be done to a connection, at random: every draw comes from one seed and none depends on what the sockets
// answered, so a seed makes the same calls again. It makes the calls and enters them in the ledger; judging is not its job.

import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import {
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_WAITALL,
  SHUT_RDWR,
  SHUT_WR,
  SOL_SOCKET,
  SO_SNDBUF,
  socket,
} from "berkeley";
import { computeFor, reset } from "../support/pair.ts";
import { Random } from "../support/random.ts";
import type { Connection, End } from "./ledger.ts";

/** How a connection may end before it is drained. */
export const TEMPERS = ["whole", "half", "rude"] as const;
export type Temper = (typeof TEMPERS)[number];

const READ_SIZES = [0, 1, 2, 7, 63, 64, 65, 100, 1000, 4095, 4096, 4097, 20_000, 65_536, 300_000];
const WRITE_SIZES = [0, 1, 2, 10, 63, 64, 65, 100, 1000, 4096, 4097, 20_000, 100_000, 200_000];
/** A write of so much at least is made small once much is on its way: it bounds the memory of a round. */
const LARGE = 1000;
const VOLUME_MAX = 3 << 20;
const TIMEOUTS = [null, null, null, 0, 0.001, 0.003, 30];
/** Calls of a burst: below, about and far above what a turn of the loop is allowed. */
const BURSTS = [50, 1100, 2500];
const UNTOUCHED = 0xee;

/** Bytes that no other place repeats. */
const pool: Buffer = Buffer.allocUnsafeSlow(1 << 20);
const poolRandom = new Random(1);
for (let at = 0; at < pool.length; at++) pool[at] = poolRandom.below(256);

/** A program of random steps over one connection. */
export class Program {
  readonly connection: Connection;
  readonly log: string[] = [];
  readonly controllers: AbortController[] = [];
  readonly #random: Random;
  readonly #temper: Temper;
  #volume = 0;

  constructor(connection: Connection, random: Random, temper: Temper) {
    this.connection = connection;
    this.#random = random;
    this.#temper = temper;
  }

  /** Does one thing. */
  async step(): Promise<void> {
    const random = this.#random;
    const end = random.pick(this.connection.ends);
    const chance = random.below(100);
    if (chance < 22) this.#read(end, random.below(4));
    else if (chance < 44) this.#write(end, random.below(6));
    else if (chance < 66) await this.#pass(random.below(8));
    else if (chance < 74) this.#timeout(end, random.pick(TIMEOUTS));
    else if (chance < 84) this.#abort(random.below(1 << 20));
    else if (chance < 86) this.#burst(end, random.below(5), random.pick(BURSTS));
    else if (chance < 89) this.#hold(end, random.onceIn(2));
    else if (chance < 92) this.#room(end, random.pick([16_384, 400_000]));
    else if (chance < 94) this.#swap(end);
    else this.#finish(end, random.below(8));
  }

  /** Everything that was sent is read, both ends end, and all settles. */
  async drain(): Promise<void> {
    this.log.push("drain");
    const { ends } = this.connection;
    for (const end of ends) this.#timeout(end, null);
    const reading = ends.map((end) => this.#readToEnd(end));
    await Promise.all(ends.flatMap((end) => [...end.pending.writes]));
    for (const end of ends) this.#shutdown(end, SHUT_WR);
    await Promise.all(reading);
    await Promise.all(ends.flatMap((end) => [...end.pending.reads, ...end.pending.writes]));
    // All has been read: this takes nothing away any more.
    for (const end of ends) end.socket.close();
  }

  async #readToEnd(end: End): Promise<void> {
    if (end.closed) return;
    for (;;) {
      let count = 0;
      const asked = { text: `${end.name}.recv at last`, direction: "reads", room: 65_536, brought } as const;
      await end.enter(asked, async () => {
        const bytes = await end.socket.recv(asked.room);
        count = bytes.length;
        return bytes;
      });
      if (count === 0) return;
    }
  }

  #signal(): AbortSignal | undefined {
    const [fresh, which] = [this.#random.below(5), this.#random.below(1 << 20)];
    if (fresh > 1) return undefined;
    if (fresh === 0 || this.controllers.length === 0) this.controllers.push(new AbortController());
    return this.controllers[fresh === 0 ? this.controllers.length - 1 : which % this.controllers.length]
      ?.signal;
  }

  #read(end: End, kind: number, size = this.#random.pick(READ_SIZES), flags = this.#readFlags()): void {
    const signal = this.#signal();
    const options = signal === undefined ? undefined : { signal };
    const peeks = (flags & MSG_PEEK) !== 0;
    const asked = {
      all: (flags & MSG_WAITALL) !== 0 && kind < 3, // recvmsg_into() brings what is there
      direction: "reads",
      room: size,
      peeks,
      signal,
      asksOnce: (flags & MSG_DONTWAIT) !== 0,
    } as const;
    const words = `(${size}, ${flags}${signal === undefined ? "" : ", signal"})`;
    const { name, socket: sock } = end;
    const into = Buffer.alloc(size + 10, UNTOUCHED);
    if (kind < 2 || size === 0) {
      const text = this.#note(`${name}.recv${words}`);
      const rest = (error: unknown): Uint8Array | undefined => (error as { data?: Buffer }).data;
      void end.enter({ ...asked, text, brought, rest }, () => sock.recv(size, flags, options));
    } else if (kind === 2) {
      const text = this.#note(`${name}.recv_into${words}`);
      const view = into.subarray(5, size + 8);
      const call = (): Promise<number> => sock.recv_into(view, size, flags, options);
      const came = (count: unknown): Uint8Array => filled(into, 5, count as number);
      const rest = (error: unknown): Uint8Array =>
        came((error as { bytesReceived?: number }).bytesReceived ?? 0);
      void end.enter({ ...asked, text, brought: came, rest }, call);
    } else {
      const text = this.#note(`${name}.recvmsg_into${words}`);
      const views = [into.subarray(5, 6), into.subarray(6, size + 5)];
      const call = (): Promise<unknown> => sock.recvmsg_into(views, 0, flags, options);
      void end.enter({ ...asked, text, brought: (value) => filled(into, 5, (value as [number])[0]) }, call);
    }
  }

  #readFlags(): number {
    const [plain, once] = [0, MSG_DONTWAIT];
    const flags = [plain, plain, plain, plain, plain, once, once, MSG_WAITALL, MSG_PEEK, MSG_PEEK | once];
    return this.#random.pick(flags);
  }

  #write(end: End, kind: number, size = this.#random.pick(WRITE_SIZES), flags = this.#writeFlags()): void {
    const signal = this.#signal();
    const options = signal === undefined ? undefined : { signal };
    const at = this.#random.below(pool.length - 200_000);
    const length = size >= LARGE && this.#volume > VOLUME_MAX ? 10 : size;
    this.#volume += length;
    const data = pool.subarray(at, at + length);
    const { name, socket: sock } = end;
    const asked = { direction: "writes", data, signal, asksOnce: (flags & MSG_DONTWAIT) !== 0 } as const;
    const words = `(${length}, ${flags}${signal === undefined ? "" : ", signal"})`;
    if (kind < 2) {
      const text = this.#note(`${name}.send${words}`);
      void end.enter({ ...asked, text, took: Number }, () => sock.send(data, flags, options));
    } else if (kind === 2) {
      const text = this.#note(`${name}.sendmsg${words}`);
      const parts = [data.subarray(0, length >> 1), data.subarray(length >> 1)];
      void end.enter({ ...asked, text, took: Number }, () => sock.sendmsg(parts, [], flags, null, options));
    } else {
      const text = this.#note(`${name}.sendall${words}`);
      const progress = signal !== undefined || kind === 3 ? { bytes: -1 } : undefined;
      const all = progress === undefined ? options : { ...options, progress };
      void end.enter({ ...asked, text, all: true, progress }, () => sock.sendall(data, flags, all));
    }
  }

  #writeFlags(): number {
    return this.#random.pick([0, 0, 0, MSG_DONTWAIT]);
  }

  /** Lets the loop turn, the microtasks run, the timers come due, or none of them while time passes. */
  async #pass(how: number): Promise<void> {
    this.#note(`pass ${how}`);
    if (how < 5) await turn();
    else if (how === 5) await Promise.resolve();
    else if (how === 6) computeFor(2);
    else await sleep(2);
  }

  #timeout(end: End, seconds: number | null): void {
    this.#note(`${end.name}.settimeout(${seconds})`);
    end.socket.settimeout(seconds);
  }

  #abort(which: number): void {
    if (this.controllers.length === 0) return;
    this.#note(`abort ${which % this.controllers.length}`);
    this.controllers[which % this.controllers.length]?.abort({ reason: which });
  }

  /** More calls in one go than a turn of the loop serves. */
  #burst(end: End, kind: number, count: number): void {
    this.#note(`burst of ${count}, ${kind}`);
    const { length } = this.log;
    for (let calls = 0; calls < count; calls++) {
      const [size, once] = [1 + (calls % 3), this.#random.onceIn(3) ? MSG_DONTWAIT : 0];
      if (kind === 0) this.#read(end, 0, size, 0);
      else if (kind === 1) this.#write(end, 5, size, 0);
      else if (kind === 2) this.#read(end, 0, size, once);
      else this.#write(end, kind === 3 ? 0 : 5, size, once);
    }
    this.log.length = length;
  }

  #hold(end: End, referenced: boolean): void {
    this.#note(`${end.name}.${referenced ? "ref" : "unref"}()`);
    if (referenced) end.socket.ref();
    else end.socket.unref();
  }

  #room(end: End, bytes: number): void {
    if (end.closed) return;
    this.#note(`${end.name} has room for ${bytes}`);
    end.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, bytes);
  }

  /** The same descriptor goes on under another Socket. */
  #swap(end: End): void {
    if (end.closed) return;
    this.#note(`${end.name} detached and adopted`);
    end.interrupted = true;
    const timeout = end.socket.gettimeout();
    end.socket = socket(undefined, undefined, undefined, { fileno: end.socket.detach() });
    end.socket.settimeout(timeout);
  }

  #finish(end: End, how: number): void {
    if (this.#temper === "whole") return;
    if (how < 4 || this.#temper === "half") {
      if (how === 0) this.#shutdown(end, SHUT_WR);
      return;
    }
    if (how === 4) this.#close(end);
    else if (how === 5) this.#reset(end);
    else if (how === 6) this.#shutdown(end, SHUT_RDWR);
  }

  #shutdown(end: End, how: number): void {
    if (end.ended && how === SHUT_WR) return;
    if (end.closed) return;
    this.#note(`${end.name}.shutdown(${how})`);
    end.ended = true;
    if (how === SHUT_RDWR) this.connection.rude = true;
    try {
      end.socket.shutdown(how);
    } catch (error) {
      if (!this.connection.rude) throw error;
    }
  }

  #close(end: End): void {
    if (end.closed) return;
    this.#note(`${end.name}.close()`);
    this.connection.rude = true;
    end.closed = end.ended = end.interrupted = true;
    end.socket.close();
  }

  #reset(end: End): void {
    if (end.closed) return;
    this.#note(`${end.name} resets`);
    this.connection.rude = true;
    end.closed = end.ended = end.interrupted = true;
    reset(end.socket);
  }

  #note(text: string): string {
    this.log.push(text);
    return text;
  }
}

/** What a receive brought; it holds no more memory than that. */
function brought(value: unknown): Uint8Array {
  const bytes = value as Buffer;
  if (bytes.buffer.byteLength > bytes.length + 1) throw new Error(`pins ${bytes.buffer.byteLength} bytes`);
  return bytes;
}

/** What lies in the view, outside of which nothing was written. */
function filled(memory: Buffer, start: number, count: number): Uint8Array {
  const untouched = (byte: number): boolean => byte === UNTOUCHED;
  if (!memory.subarray(0, start).every(untouched) || !memory.subarray(start + count).every(untouched))
    throw new Error("wrote outside of what it said");
  return memory.subarray(start, start + count);
}
