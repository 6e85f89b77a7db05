// The model of a connection: what was asked of its two ends, what became of it, and the rules by which that is judged. It
// knows nothing of how the calls come about. A connection is two pipes of bytes; what the kernel took of each write, put
// one after the other in the order of the calls, is what the reads at the other end must bring, in the order of theirs.

import assert from "node:assert/strict";
import { SocketError, TimeoutError } from "berkeley";
import type { Socket } from "berkeley";

/** How early a timer of Node's may fire, in milliseconds: it counts whole ones. */
const TIMER_SLACK_MS = 2;

export type Direction = "reads" | "writes";

/** One call that was made, and what may become of it. */
export interface Asked {
  /** The call in words: "a.recv(10)". */
  readonly text: string;
  readonly direction: Direction;
  /** The bytes of a write; the room of a read. */
  readonly data?: Uint8Array;
  readonly room?: number;
  /** A read that leaves the bytes where they are. */
  readonly peeks?: boolean;
  /** A write that goes on until all is taken, a read that goes on until all is there. */
  readonly all?: boolean;
  readonly progress?: { readonly bytes: number } | undefined;
  readonly signal?: AbortSignal | undefined;
  /** It fails instead of waiting. */
  readonly asksOnce?: boolean;
  /** What it resolved with, as what it took of `data` or as what it brought. */
  readonly took?: (value: unknown) => number;
  readonly brought?: (value: unknown) => Uint8Array;
  /** What had come before an error, of a read that goes on until all is there. */
  readonly rest?: (error: unknown) => Uint8Array | undefined;
}

/** A call in the ledger. */
class Entry {
  readonly asked: Asked;
  readonly timeout: number | null;
  /** Its end was closed before it was made. */
  readonly late: boolean;
  readonly since: number = performance.now();
  settled = false;
  /** What the kernel took of a write, what a read brought. */
  taken = 0;
  bytes: Uint8Array | undefined = undefined;

  constructor(asked: Asked, end: End) {
    this.asked = asked;
    this.timeout = end.socket.gettimeout();
    this.late = end.closed;
  }
}

/** One end of a connection. */
export class End {
  readonly name: string;
  socket: Socket;
  readonly connection: Connection;
  readonly reads: Entry[] = [];
  readonly writes: Entry[] = [];
  /** The first entry of each that waits. */
  readonly #oldest = { reads: 0, writes: 0 };
  /** It will write no more. */
  ended = false;
  closed = false;
  /** It was closed, or its descriptor given to another Socket, while these calls waited. */
  interrupted = false;
  /** Calls that wait. */
  readonly pending: Readonly<Record<Direction, Set<Promise<void>>>> = { reads: new Set(), writes: new Set() };

  constructor(name: string, socket: Socket, connection: Connection) {
    this.name = name;
    this.socket = socket;
    this.connection = connection;
  }

  get peer(): End {
    const { a, b } = this.connection;
    return this === a ? b : a;
  }

  /** Makes a call, enters it, and judges its end when it comes. Resolves then, whatever it was. */
  enter(asked: Asked, call: () => Promise<unknown>): Promise<void> {
    const entry = new Entry(asked, this);
    const pending = this.pending[asked.direction];
    this[asked.direction].push(entry);
    const judged = call().then(
      (value) => this.#judge(entry, () => this.#fulfilled(entry, value)),
      (error: unknown) => this.#judge(entry, () => this.#rejected(entry, error)),
    );
    pending.add(judged);
    void judged.then(() => pending.delete(judged));
    return judged;
  }

  #judge(entry: Entry, judge: () => void): void {
    entry.settled = true;
    try {
      judge();
    } catch (error) {
      const { text } = entry.asked;
      this.connection.broke(new Error(`${text}: ${(error as Error).message}`, { cause: error }));
    }
  }

  #fulfilled(entry: Entry, value: unknown): void {
    const { asked } = entry;
    assert.ok(!entry.late, "resolved although its end was closed");
    if (asked.room !== 0) this.#inTurn(entry);
    if (asked.brought !== undefined) {
      const bytes = asked.brought(value);
      const room = asked.room ?? 0;
      assert.ok(bytes.length <= room, `brought ${bytes.length} bytes`);
      if (bytes.length === 0 && room > 0)
        assert.ok(this.peer.ended || this.connection.rude, "told an end that was none");
      if (asked.all === true && bytes.length < room)
        assert.ok(this.#mayStop(entry), `brought only ${bytes.length} bytes`);
      entry.bytes = bytes;
      return;
    }
    const length = asked.data?.length ?? 0;
    const taken = asked.all === true ? length : (asked.took?.(value) ?? 0);
    assert.ok(taken <= length && (taken > 0 || length === 0), `took ${taken} of ${length} bytes`);
    assert.equal(asked.progress?.bytes ?? taken, taken, "its progress");
    entry.taken = taken;
  }

  /** A read that goes on until all is there may end before. */
  #mayStop({ asked, since, timeout }: Entry): boolean {
    const waited = performance.now() - since + TIMER_SLACK_MS;
    const late = timeout !== null && waited >= timeout * 1000;
    return (
      late || asked.signal?.aborted === true || this.interrupted || this.peer.ended || this.connection.rude
    );
  }

  #rejected(entry: Entry, error: unknown): void {
    const { asked } = entry;
    entry.bytes = asked.rest?.(error);
    if (asked.all === true && asked.direction === "writes") {
      const { bytesSent } = error as SocketError;
      entry.taken = bytesSent ?? asked.progress?.bytes ?? 0;
      assert.equal(asked.progress?.bytes ?? entry.taken, entry.taken, "its progress and bytesSent");
      if (error instanceof SocketError) assert.ok(bytesSent !== undefined, "no bytesSent");
    }
    if (asked.signal?.aborted === true && error === asked.signal.reason) return;
    assert.ok(error instanceof SocketError, String(error));
    const { code } = error;
    if (entry.late || code === "EBADF") {
      assert.ok(entry.late && code === "EBADF", `${code} although it was ${entry.late ? "closed" : "open"}`);
    } else if (error instanceof TimeoutError) {
      assert.ok(entry.timeout !== null && entry.timeout > 0, "timed out without a timeout");
      const waited = performance.now() - entry.since;
      assert.ok(waited >= entry.timeout * 1000 - TIMER_SLACK_MS, `timed out after ${waited} ms`);
      assert.equal(error.seconds, entry.timeout, "the time that it says");
    } else if (code === "EAGAIN") {
      assert.ok(asked.asksOnce === true || entry.timeout === 0, "EAGAIN in blocking mode");
    } else {
      this.#inTurn(entry);
      if (code === "ECANCELED") assert.ok(this.interrupted, "ECANCELED and not closed");
      else if (code === "EPIPE" && asked.direction === "writes" && this.ended) return;
      else assert.ok(/^(ECONNRESET|EPIPE)$/.test(code) && this.connection.rude, error.message);
    }
  }

  /** Whoever was asked before it has settled. */
  #inTurn(entry: Entry): void {
    const { direction } = entry.asked;
    const entries = this[direction];
    let at = this.#oldest[direction];
    for (; entries[at] !== entry; at++)
      if (entries[at]?.settled !== true) assert.fail(`settled before ${entries[at]?.asked.text}`);
    this.#oldest[direction] = at;
  }

  /** The calls that wait, in words. */
  waiting(): string[] {
    return [...this.reads, ...this.writes].filter(({ settled }) => !settled).map(({ asked }) => asked.text);
  }

  /** What the kernel took, in the order of the calls. */
  sent(): Buffer {
    return Buffer.concat(
      this.writes.map(({ asked, taken }) => (asked.data ?? Buffer.alloc(0)).subarray(0, taken)),
    );
  }
}

/** Two ends. */
export class Connection {
  readonly a: End;
  readonly b: End;
  /** An end was closed, reset or shut down altogether: not all that was sent must arrive. */
  rude = false;
  readonly #broken: Promise<never>;
  /** A rule was broken. */
  readonly broke: (error: Error) => void;

  constructor(a: Socket, b: Socket) {
    const { promise, reject } = withReject();
    this.#broken = promise;
    this.broke = reject;
    this.a = new End("a", a, this);
    this.b = new End("b", b, this);
  }

  get ends(): readonly [End, End] {
    return [this.a, this.b];
  }

  /** Waits for something; fails as soon as a rule is broken. */
  async watch<T>(what: Promise<T>): Promise<T> {
    return Promise.race([what, this.#broken]);
  }

  /** When all has settled: what arrived is what was sent. */
  compare(): void {
    for (const end of this.ends) {
      const sent = end.sent();
      let at = 0;
      for (const { asked, bytes } of end.peer.reads) {
        if (bytes === undefined) continue;
        if (!sent.subarray(at, at + bytes.length).equals(bytes)) {
          const found = bytes.length > 3 ? sent.indexOf(bytes) : -1;
          assert.fail(`${asked.text} brought bytes of ${found}, not of ${at}`);
        }
        if (asked.peeks !== true) at += bytes.length;
      }
      assert.ok(at <= sent.length, "more arrived than was sent");
      if (!this.rude) assert.equal(at, sent.length, `bytes from ${end.name} that arrived`);
    }
  }
}

function withReject(): { promise: Promise<never>; reject: (error: Error) => void } {
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<never>((_, no) => {
    reject = no;
  });
  promise.catch(() => undefined);
  return { promise, reject };
}
