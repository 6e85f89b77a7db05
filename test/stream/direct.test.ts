// Receiving without promises: what a taker is told and when, for sockets that are ready together, that end, that break and
// that are closed; and that what is sent at once keeps its place.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SO_LINGER, SOL_SOCKET, create_connection, create_server, socketpair } from "berkeley";
import type { Socket } from "berkeley";
import { DirectReceiver } from "#dist/stream/direct.js";
import { turns } from "../websocket/serving.ts";

/** Remembers what it is told, in the order of all of them. */
class Taker {
  readonly name: string;
  readonly log: string[];
  readonly receiver: DirectReceiver;
  /** Whether it wants more. */
  more = true;
  error: unknown;

  constructor(socket: Socket, name: string, log: string[]) {
    this.name = name;
    this.log = log;
    this.receiver = new DirectReceiver(socket, this);
    this.receiver.receive();
  }

  arrived(memory: Buffer, count: number): void {
    this.log.push(`${this.name} got ${memory.toString("latin1", 0, Math.min(count, 20))} of ${count}`);
    if (count > 0 && this.more) this.receiver.receive();
  }

  failed(error: unknown): void {
    this.error = error;
    this.log.push(`${this.name} failed`);
  }

  answer(): void {
    this.log.push(`${this.name} answers`);
  }
}

test("DirectReceiver.receive() tells sockets that are ready together one after the other, and then lets all answer", async () => {
  const pairs = ["a", "b", "c"].map((name) => ({ name, ends: socketpair() }));
  const log: string[] = [];
  const takers = pairs.map(({ name, ends: [near] }) => new Taker(near, name, log));
  await turns(2);
  assert.equal(log.length, 0);
  for (const { name, ends } of pairs) await ends[1].sendall(`to ${name}`);
  while (log.length < 6) await turns(1);
  assert.deepEqual(
    new Set(log.slice(0, 3)),
    new Set(["a got to a of 4", "b got to b of 4", "c got to c of 4"]),
  );
  assert.deepEqual(new Set(log.slice(3)), new Set(["a answers", "b answers", "c answers"]));
  for (const { ends } of pairs) ends[1].close();
  while (log.filter((line) => line.endsWith("of 0")).length < 3) await turns(1);
  for (const { ends } of pairs) ends[0].close();
  assert.deepEqual(
    takers.map(({ error }) => error),
    [undefined, undefined, undefined],
  );
});

test("DirectReceiver.receive() takes all of a long run in order, however much is there", async () => {
  const [near, far] = socketpair();
  let received = 0;
  let wrong = 0;
  const BYTES = 3_000_000;
  const done = new Promise<void>((resolve) => {
    const receiver: DirectReceiver = new DirectReceiver(near, {
      arrived(memory, count) {
        for (let at = 0; at < count; at++) if (memory[at] !== (received + at) % 251) wrong++;
        received += count;
        if (count === 0) resolve();
        else receiver.receive();
      },
      failed: assert.fail,
      answer: () => {},
    });
    receiver.receive();
  });
  await far.sendall(Buffer.from(Array.from({ length: BYTES }, (_, at) => at % 251)));
  far.close();
  await done;
  assert.deepEqual([received, wrong], [BYTES, 0]);
  near.close();
});

test("DirectReceiver receives nothing that was not asked for", async () => {
  const [near, far] = socketpair();
  const log: string[] = [];
  const taker = new Taker(near, "a", log);
  taker.more = false;
  await far.sendall("first");
  while (log.length < 2) await turns(1);
  await far.sendall("second");
  await turns();
  assert.deepEqual(log, ["a got first of 5", "a answers"]);
  taker.receiver.receive();
  while (log.length < 4) await turns(1);
  assert.equal(log[2], "a got second of 6");
  near.close();
  far.close();
});

test("DirectReceiver fails with ECANCELED at a close, before and while it waits, and with ECONNRESET at a reset", async () => {
  const [near, far] = socketpair();
  const log: string[] = [];
  const waiting = new Taker(near, "waiting", log);
  near.close();
  assert.equal(log.length, 0);
  while (log.length < 2) await turns(1);
  assert.deepEqual(log, ["waiting failed", "waiting answers"]);
  assert.equal((waiting.error as { code: string }).code, "ECANCELED");
  const late = new Taker(near, "late", []);
  while (late.log.length < 2) await turns(1);
  assert.equal((late.error as { code: string }).code, "ECANCELED");
  far.close();

  const server = create_server(["127.0.0.1", 0]);
  const client = await create_connection(server.getsockname<[string, number]>());
  const [served] = await server.accept();
  const reset = new Taker(served, "reset", []);
  client.setsockopt(SOL_SOCKET, SO_LINGER, Buffer.from(new Int32Array([1, 0]).buffer));
  client.close();
  while (reset.log.length < 2) await turns(1);
  assert.equal((reset.error as { code: string }).code, "ECONNRESET");
  served.close();
  server.close();
});
