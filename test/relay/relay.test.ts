// relay(): bytes and ends go through both ways, over every pair of kinds; backpressure; what is known when it fails.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import {
  AF_UNIX,
  MSG_OOB,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  TimeoutError,
  relay,
  socketpair,
} from "berkeley";
import type { RelayReport, Socket } from "berkeley";
import { receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import { NARROW, TOO_MUCH, codeOf, pattern, rejection, reset, stillWaits, tcpPair } from "../support/pair.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

/** client – a | relay | b – server. */
interface Line extends Disposable {
  readonly client: Socket;
  readonly a: Socket;
  readonly b: Socket;
  readonly server: Socket;
}

type MakePair = () => Promise<readonly [Socket, Socket]>;

async function line(near: MakePair, far: MakePair): Promise<Line> {
  const [client, a] = await near();
  const [b, server] = await far();
  return {
    client,
    a,
    b,
    server,
    [Symbol.dispose]() {
      for (const end of [client, a, b, server]) end.close();
    },
  };
}

const tcp: MakePair = async () => Object.values(await tcpPair()) as [Socket, Socket];
const narrow: MakePair = async () => Object.values(await tcpPair(NARROW)) as [Socket, Socket];
const streams: Readonly<Record<string, MakePair>> = {
  "TCP over IPv4": tcp,
  "TCP over IPv6": async () => Object.values(await tcpPair({ host: "::1" })) as [Socket, Socket],
  "a Unix stream": async () => socketpair(),
};

const LINUX = process.platform === "linux";
const openCount = (): number =>
  readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return /^(?:pipe|socket):/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false;
    }
  }).length;

for (const [from, near] of Object.entries(streams))
  for (const [to, far] of Object.entries(streams))
    test(`relay() from ${from} to ${to} brings both ways whole, and each end when it comes`, async () => {
      using ends = await line(near, far);
      const up = pattern(3_000_001, 1);
      const down = pattern(2_000_003, 2);
      const before = openCount();
      const relaying = relay(ends.a, ends.b);
      const sending = ends.client.sendall(up).then(() => ends.client.shutdown(SHUT_WR));
      assert.equal(sha256(await receiveToEnd(ends.server)), sha256(up));
      await sending;
      // The client has ended, and is still answered.
      const answering = ends.server.sendall(down).then(() => ends.server.shutdown(SHUT_WR));
      assert.equal(sha256(await receiveToEnd(ends.client)), sha256(down));
      await answering;
      const report = await relaying;
      const method = LINUX ? "splice" : "copy";
      const undelivered = Buffer.alloc(0);
      assert.deepEqual(report, {
        forward: { bytes: up.length, method, ended: true, undelivered },
        backward: { bytes: down.length, method, ended: true, undelivered },
      });
      assert.equal(openCount(), before);
    });

test("relay() goes on in the one direction when the other has ended, whichever ends first", async () => {
  for (const [ends, stays] of [
    ["server", "client"],
    ["client", "server"],
  ] as const) {
    using sides = await line(tcp, tcp);
    const relaying = relay(sides.a, sides.b);
    const [first, last] = [sides[ends], sides[stays]];
    await first.sendall("bye");
    first.shutdown(SHUT_WR);
    assert.equal((await receiveToEnd(last)).toString(), "bye");
    for (const word of ["still", " here"]) {
      await last.sendall(word);
      assert.equal((await first.recv(100)).toString(), word);
    }
    last.shutdown(SHUT_WR);
    assert.equal((await first.recv(1)).length, 0);
    const { forward, backward } = await relaying;
    assert.deepEqual([forward.ended, backward.ended], [true, true]);
  }
});

test("relay() keeps a conversation going, message for message", async () => {
  using ends = await line(tcp, tcp);
  const relaying = relay(ends.a, ends.b);
  for (let turn = 0; turn < 200; turn++) {
    await ends.client.sendall(`question ${turn}`);
    assert.equal((await ends.server.recv(100)).toString(), `question ${turn}`);
    await ends.server.sendall(`answer ${turn}`);
    assert.equal((await ends.client.recv(100)).toString(), `answer ${turn}`);
  }
  ends.client.close();
  ends.server.close();
  await relaying;
});

test("relay() does not take from a sender what the receiver does not take", async () => {
  using ends = await line(narrow, narrow);
  const relaying = relay(ends.a, ends.b);
  const data = pattern(8 * TOO_MUCH);
  const progress = { bytes: 0 };
  const sending = ends.client.sendall(data, 0, { progress });
  await stillWaits(sending);
  const held = progress.bytes;
  for (let turns = 0; turns < 50; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(
    progress.bytes - held <= TOO_MUCH && progress.bytes < data.length / 2,
    `${progress.bytes} were taken`,
  );
  const received = receiveExactly(ends.server, data.length);
  await sending;
  assert.ok((await received).equals(data));
  ends.client.close();
  ends.server.close();
  await relaying.catch(() => {});
});

test("relay() between sockets that keep message boundaries keeps them, and copies", async () => {
  using ends = await line(
    async () => socketpair(AF_UNIX, SOCK_SEQPACKET),
    async () => socketpair(AF_UNIX, SOCK_SEQPACKET),
  );
  const relaying = relay(ends.a, ends.b);
  const sizes = [1, 100_000, 3, 65_537];
  for (const [index, size] of sizes.entries()) {
    await ends.client.sendall(pattern(size, index));
    assert.ok((await ends.server.recv(200_000)).equals(pattern(size, index)));
  }
  ends.client.shutdown(SHUT_WR);
  assert.equal((await ends.server.recv(10)).length, 0);
  ends.server.close();
  const { forward, backward } = await relaying;
  assert.equal(
    forward.bytes,
    sizes.reduce((sum, size) => sum + size),
  );
  assert.deepEqual([forward.method, backward.method], ["copy", "copy"]);
});

test("relay() between datagram sockets passes empty datagrams on and has no end but an abort", async () => {
  using ends = await line(
    async () => socketpair(AF_UNIX, SOCK_DGRAM),
    async () => socketpair(AF_UNIX, SOCK_DGRAM),
  );
  const controller = new AbortController();
  const relaying = relay(ends.a, ends.b, { signal: controller.signal });
  await ends.client.send("");
  await ends.client.send("x");
  assert.equal((await ends.server.recv(10)).length, 0);
  assert.equal((await ends.server.recv(10)).toString(), "x");
  await ends.server.send("back");
  assert.equal((await ends.client.recv(10)).toString(), "back");
  controller.abort(new Error("enough"));
  assert.equal((await rejection(relaying)).message, "enough");
});

test("relay() between a stream and a socket with message boundaries copies", async () => {
  using ends = await line(tcp, async () => socketpair(AF_UNIX, SOCK_SEQPACKET));
  const relaying = relay(ends.a, ends.b);
  await ends.client.sendall("there");
  assert.equal((await ends.server.recv(100)).toString(), "there");
  await ends.server.sendall("and back");
  assert.equal((await receiveExactly(ends.client, 8)).toString(), "and back");
  ends.client.close();
  ends.server.close();
  const { forward, backward } = await relaying;
  assert.deepEqual([forward.method, forward.bytes, backward.method, backward.bytes], ["copy", 5, "copy", 8]);
});

test("relay() rejects with what a sender's reset says, and stops the other direction", async () => {
  using ends = await line(tcp, tcp);
  const report: Partial<RelayReport> = {};
  const relaying = relay(ends.a, ends.b, { report });
  await ends.client.sendall("some bytes");
  await receiveExactly(ends.server, 10);
  reset(ends.client);
  const error = await rejection(relaying);
  assert.equal(error.code, "ECONNRESET");
  assert.equal(report.forward?.bytes, 10);
  assert.equal(report.forward.ended, false);
  assert.equal(report.backward?.ended, false);
  // Both sockets are the caller's, and work.
  await ends.b.sendall("goodbye");
  assert.equal((await receiveExactly(ends.server, 7)).toString(), "goodbye");
});

for (const how of ["fails", "is aborted", "is closed"] as const)
  test(`relay() that ${how} with bytes on the way reports them: none is lost and none twice`, async () => {
    using ends = await line(narrow, narrow);
    const controller = new AbortController();
    const report: Partial<RelayReport> = {};
    const before = openCount();
    const relaying = relay(ends.a, ends.b, { signal: controller.signal, report });
    const data = pattern(4 * TOO_MUCH);
    const progress = { bytes: 0 };
    const sending = ends.client
      .sendall(data, 0, { progress, signal: AbortSignal.timeout(300) })
      .catch(() => {});
    await sending; // the receiver takes nothing, so all is full
    const failed = rejection(relaying);
    if (how === "fails") reset(ends.server);
    else if (how === "is aborted") controller.abort(new Error("enough"));
    else ends.b.close();
    const error = await failed;
    if (how === "fails") assert.ok(error.code === "ECONNRESET" || error.code === "EPIPE", error.message);
    else if (how === "is aborted") assert.equal(error.message, "enough");
    else assert.equal(error.code, "ECANCELED");
    const { bytes, undelivered } = report.forward as RelayReport["forward"];
    assert.ok(undelivered.length > 0);
    assert.ok(undelivered.equals(data.subarray(bytes, bytes + undelivered.length)));
    // What was not taken in is still in the socket.
    const left = progress.bytes - bytes - undelivered.length;
    assert.ok(
      (await receiveExactly(ends.a, left)).equals(data.subarray(bytes + undelivered.length, progress.bytes)),
    );
    if (how === "is aborted") {
      assert.ok((await receiveExactly(ends.server, bytes)).equals(data.subarray(0, bytes)));
      assert.equal(openCount(), before);
    }
  });

test("relay() ends with a TimeoutError when nothing moves for idle_timeout, and not while something does", async () => {
  using ends = await line(tcp, tcp);
  const report: Partial<RelayReport> = {};
  const begun = performance.now();
  const relaying = relay(ends.a, ends.b, { idle_timeout: 0.3, report });
  const failed = rejection(relaying);
  for (let turn = 0; turn < 8; turn++) {
    await ends.server.sendall("x");
    await receiveExactly(ends.client, 1);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const error = await failed;
  assert.ok(error instanceof TimeoutError);
  assert.equal(error.message, "relay ETIMEDOUT: timed out after 0.3 s");
  assert.ok(performance.now() - begun > 900);
  assert.equal(report.backward?.bytes, 8);
});

test("relay() takes no notice of the sockets' own timeouts", async () => {
  using ends = await line(tcp, tcp);
  ends.a.settimeout(0.01);
  ends.b.setblocking(false);
  const relaying = relay(ends.a, ends.b);
  await new Promise((resolve) => setTimeout(resolve, 60));
  await ends.client.sendall("late");
  assert.equal((await receiveExactly(ends.server, 4)).toString(), "late");
  ends.client.close();
  ends.server.close();
  await relaying;
});

test("relay() goes on behind an urgent byte, which is not relayed", async () => {
  using ends = await line(tcp, tcp);
  const relaying = relay(ends.a, ends.b);
  await ends.client.sendall("before");
  assert.equal((await receiveExactly(ends.server, 6)).toString(), "before");
  await ends.client.send("!", MSG_OOB);
  await ends.client.sendall("behind");
  assert.equal((await receiveExactly(ends.server, 6)).toString(), "behind");
  ends.client.close();
  ends.server.close();
  await relaying;
});

test("relay() does not hold up the loop, and many relays run at once", async () => {
  const lines = await Promise.all(Array.from({ length: 20 }, () => line(tcp, tcp)));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await Promise.all(
    lines.map(async (ends, index) => {
      const data = pattern(1_000_000, index);
      const relaying = relay(ends.a, ends.b);
      const sending = ends.client.sendall(data).then(() => ends.client.shutdown(SHUT_WR));
      assert.ok((await receiveToEnd(ends.server)).equals(data));
      ends.server.close();
      await sending;
      await relaying;
    }),
  );
  clearInterval(timer);
  assert.ok(turns > 1);
  for (const ends of lines) ends[Symbol.dispose]();
});

test("relay() refuses what is no Socket, no signal and no time, and an aborted signal at once", async () => {
  using ends = await line(tcp, tcp);
  const { a, b } = ends;
  assert.equal(await codeOf(relay(a, {} as never)), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(relay(a, b, { signal: {} as never })), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(relay(a, b, { idle_timeout: -1 })), "ERR_OUT_OF_RANGE");
  const reason = new Error("never");
  assert.equal(await rejection(relay(a, b, { signal: AbortSignal.abort(reason) })), reason);
  ends.b.close();
  assert.equal(await codeOf(relay(a, b)), "EBADF");
});

test("relay() with a report that takes nothing rejects, and leaves no descriptor open", async () => {
  using ends = await line(tcp, tcp);
  const before = LINUX ? openCount() : 0;
  await assert.rejects(relay(ends.a, ends.b, { report: Object.freeze({}) }), TypeError);
  assert.equal(LINUX ? openCount() : 0, before);
});
