// Conversations between channels of memory: how each of them ends, which with sockets only time would show.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ECONNRESET, EPIPE, SocketError } from "berkeley";
import { converse } from "#dist/cli/converse.js";
import { OutputClosedError } from "#dist/cli/failure.js";

type Said = Uint8Array | Error | undefined;
/** A side's end. */
const END = undefined;

/** A channel whose other side is the test: what it says is received, what is sent to it is kept. */
class Side {
  readonly kind: "stream" | "packets" | "datagrams";
  readonly sent: Buffer[] = [];
  ended = false;
  closed = false;
  /** What a send waits for, or fails with. */
  onSend: (data: Uint8Array) => Promise<void> = async () => {};
  readonly #said: Said[] = [];
  #wake: () => void = () => {};

  constructor(kind: Side["kind"]) {
    this.kind = kind;
  }

  says(...what: readonly (string | Said)[]): this {
    for (const each of what) this.#said.push(typeof each === "string" ? Buffer.from(each) : each);
    this.#wake();
    return this;
  }

  async receive(signal: AbortSignal): Promise<Uint8Array | undefined> {
    signal.addEventListener("abort", () => this.#wake());
    for (;;) {
      if (signal.aborted || this.closed) return undefined;
      if (this.#said.length > 0) {
        const next = this.#said.shift();
        if (next instanceof Error) throw next;
        return next;
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async send(data: Uint8Array): Promise<void> {
    await this.onSend(data);
    this.sent.push(Buffer.from(data));
  }

  end(): void {
    this.ended = true;
  }

  close(): void {
    this.closed = true;
    this.#wake();
  }

  get text(): string {
    return Buffer.concat(this.sent).toString();
  }
}

test("converse() passes each end on and closes both when both have ended", async () => {
  const [near, far] = [new Side("stream"), new Side("packets")];
  const told: string[] = [];
  const over = converse(near, far, { peerEnded: () => told.push("peer ended") });
  far.says("last words", END);
  near.says("one", "two", END);
  await over;
  assert.equal(near.text, "last words");
  assert.deepEqual(far.sent.map(String), ["one", "two"]);
  assert.deepEqual([near.ended, far.ended, near.closed, far.closed], [true, true, true, true]);
  assert.deepEqual(told, ["peer ended"]);
});

test("converse() cuts a stream into messages, and leaves messages whole", async () => {
  const [stream, packets] = [new Side("stream"), new Side("packets")];
  stream.says(Buffer.alloc(20_000, "x"), END);
  packets.says(Buffer.alloc(20_000, "y"), END);
  await converse(stream, packets);
  assert.deepEqual(
    packets.sent.map(({ length }) => length),
    [8192, 8192, 3616],
  );
  assert.deepEqual(
    stream.sent.map(({ length }) => length),
    [20_000],
  );
  const [from, to] = [new Side("datagrams"), new Side("packets")];
  from.says(Buffer.alloc(20_000), Buffer.alloc(0));
  to.says(END);
  await converse(from, to, { quietMs: 20 });
  assert.deepEqual(
    to.sent.map(({ length }) => length),
    [20_000, 0],
  );
});

test("converse() ends a silence of datagrams only after what came last has been taken", async () => {
  const [near, far] = [new Side("stream"), new Side("datagrams")];
  let take: () => void = () => {};
  near.onSend = () => new Promise((resolve) => (take = resolve));
  const over = converse(near, far, { quietMs: 20 });
  near.says(END);
  far.says("slowly");
  await new Promise((resolve) => setTimeout(resolve, 100)); // five silences long, and nobody may end it
  assert.equal(far.closed, false);
  take();
  await over;
  assert.equal(near.text, "slowly");
  assert.equal(near.ended, false);
});

test("converse() ends after the idle time, without a failure", async () => {
  const [near, far] = [new Side("datagrams"), new Side("stream")];
  near.says("hello");
  await converse(near, far, { idleMs: 20 });
  assert.equal(far.text, "hello");
  assert.deepEqual([near.closed, far.closed], [true, true]);
});

test("converse() until the peer's end keeps the near side for the next conversation", async () => {
  const [near, far] = [new Side("stream"), new Side("stream")];
  far.says("hello", END);
  await converse(near, far, { until: "peer" });
  assert.equal(near.text, "hello");
  assert.deepEqual([near.ended, far.ended], [false, false]);
});

test("converse() hears a side out that takes no more, and then tells why it did not", async () => {
  const [near, far] = [new Side("stream"), new Side("stream")];
  const refused = new SocketError("sendall", -EPIPE);
  far.onSend = async () => {
    far.says("I said", " enough", new SocketError("recv", -ECONNRESET));
    throw refused;
  };
  near.says("and then?");
  await assert.rejects(converse(near, far), refused);
  assert.equal(near.text, "I said enough");
});

test("converse() ends both sides when one breaks, or the output's reader has gone", async () => {
  for (const failure of [new SocketError("recv", -ECONNRESET), new OutputClosedError()]) {
    const [near, far] = [new Side("stream"), new Side("stream")];
    if (failure instanceof OutputClosedError) {
      far.says("for nobody");
      near.onSend = () => Promise.reject(failure);
    } else far.says(failure);
    await assert.rejects(converse(near, far), failure);
    assert.deepEqual([near.closed, far.closed, near.ended, far.ended], [true, true, false, false]);
  }
});
