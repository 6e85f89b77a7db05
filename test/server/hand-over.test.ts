// handOver() and takeOver(): a server is restarted under load and nobody notices; and what must not take over.

import assert from "node:assert/strict";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  AF_UNIX,
  IPPROTO_TCP,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  TCP_NODELAY,
  recv_fds,
  send_fds,
  socket,
  socketpair,
} from "berkeley";
import type { Socket } from "berkeley";
import { handOver, takeOver } from "berkeley/server";
import { connectTcp, connectUnix, listenTcp, listenUnix } from "berkeley/stream";
import type { SocketStream } from "berkeley/stream";
import { openSockets, thrown } from "../support/pair.ts";
import type { Child } from "../support/process.ts";
import { program } from "../support/program.ts";
import { readAll, until } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-hand-over-"));
after(() => rmSync(folder, { recursive: true }));

const CLIENTS = 200;
const RESTARTS = { TCP: 10, Unix: 2 };

let paths = 0;
const freshPath = (): string => join(folder, `control-${++paths}`);

/** Asks who serves. */
async function ask(stream: SocketStream, word = "who"): Promise<number> {
  await stream.sendAll(word);
  const answer = await readAll(stream);
  stream.close();
  assert.match(answer, /^\d+$/);
  return Number(answer);
}

for (const kind of ["TCP", "Unix"] as const)
  test(`${CLIENTS} clients in a loop over ${kind} notice nothing of ${RESTARTS[kind]} restarts (in child processes)`, async () => {
    const [path, file] = [freshPath(), join(folder, "served")];
    const version = (): Child =>
      program(import.meta.url, "hand-over-child", { args: kind === "TCP" ? [path] : [path, "unix", file] });
    let current = version();
    const [, text] = await current.line(/^serving (.*)$/m);
    const address = JSON.parse(text as string) as [string, number];
    const connect = (): Promise<SocketStream> =>
      kind === "TCP" ? connectTcp(...address) : connectUnix(file);
    const served = new Map<number, number>();
    const over = new AbortController();
    const failures: unknown[] = [];
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (!over.signal.aborted)
        try {
          const pid = await ask(await connect());
          served.set(pid, (served.get(pid) ?? 0) + 1);
        } catch (error) {
          failures.push(error);
        }
    });
    const pids = [current.pid];
    for (let restart = 0; restart < RESTARTS[kind]; restart++) {
      const next = version();
      await next.line(/^serving /m);
      const { stdout } = await current.succeeded();
      assert.match(stdout.toString(), /^handed over after \d+, failed 0$/m);
      current = next;
      pids.push(current.pid);
      await until(() => served.has(current.pid));
    }
    over.abort();
    await Promise.all(clients);
    assert.deepEqual(failures, []);
    assert.ok(pids.every((pid) => (served.get(pid) ?? 0) > 0));
    if (kind === "Unix") assert.ok(existsSync(file));
    await current[Symbol.asyncDispose]();
  });

test("a connection that goes on is ended by the old process, in its own time (in child processes)", async () => {
  const path = freshPath();
  await using first = program(import.meta.url, "hand-over-child", { args: [path] });
  const [, text] = await first.line(/^serving (.*)$/m);
  const [host, port] = JSON.parse(text as string) as [string, number];
  const old = await connectTcp(host, port);
  await old.sendAll("stopping");
  assert.equal((await old.receiveSome()).toString(), "waiting");
  await using second = program(import.meta.url, "hand-over-child", { args: [path] });
  assert.equal(await readAll(old), `${first.pid}`);
  await first.succeeded();
  assert.equal(await ask(await connectTcp(host, port)), second.pid);
  old.close();
});

test("a process that ends before it is ready changes nothing (in child processes)", async () => {
  const path = freshPath();
  await using first = program(import.meta.url, "hand-over-child", { args: [path] });
  const [, text] = await first.line(/^serving (.*)$/m);
  const [host, port] = JSON.parse(text as string) as [string, number];
  for (let time = 0; time < 3; time++) {
    const taken = await takeOver(path);
    assert.deepEqual(taken?.listeners["it"]?.localAddress, [host, port]);
    taken.close();
    taken.listeners["it"].close();
    assert.equal(await ask(await connectTcp(host, port)), first.pid);
  }
});

test("takeOver() resolves with undefined when nobody offers, also at the path of a dead process", async () => {
  assert.equal(await takeOver(freshPath()), undefined);
  const path = freshPath();
  const dead = socket(AF_UNIX, SOCK_SEQPACKET);
  dead.bind(path);
  dead.close();
  assert.equal(await takeOver(path), undefined);
  const listener = await listenTcp("127.0.0.1");
  handOver(path, { listener }).close();
  listener.close();
});

test("handOver() hands several listeners over by name, with their options, and frees its path", async () => {
  const path = freshPath();
  const [web, plain] = [await listenTcp("127.0.0.1"), await listenTcp("127.0.0.1", 0, { noDelay: false })];
  const unix = await listenUnix(join(folder, "named"));
  const addresses = [web, plain, unix].map(({ localAddress }) => localAddress);
  const offer = handOver(path, { web, plain, unix });
  const taken = await takeOver(path);
  assert.ok(taken !== undefined);
  const { web: web2, plain: plain2, unix: unix2 } = taken.listeners;
  assert.deepEqual(
    [web2, plain2, unix2].map((listener) => listener?.localAddress),
    addresses,
  );
  assert.deepEqual(
    [web2, plain2].map((listener) => listener?.socket.getsockopt(IPPROTO_TCP, TCP_NODELAY)),
    [1, 0],
  );
  await taken.ready();
  assert.equal(await offer.taken, true);
  assert.ok([web, plain, unix].every(({ closed }) => closed));
  assert.equal(existsSync(path), false);
  assert.equal(existsSync(join(folder, "named")), true);
  const client = await connectUnix(join(folder, "named"));
  await using accepted = await unix2!.accept();
  assert.equal(accepted.closed, false);
  client.close();
  for (const listener of Object.values(taken.listeners)) listener.close();
  assert.equal(existsSync(join(folder, "named")), false);
});

test("an offer that is closed ends its conversations, and is told as not taken", async () => {
  const before = openSockets();
  {
    await using listener = await listenTcp("127.0.0.1");
    const path = freshPath();
    const offer = handOver(path, { listener });
    const taken = await takeOver(path);
    offer.close();
    offer.close();
    assert.equal(await offer.taken, false);
    await assert.rejects(taken!.ready(), { name: "RemoteProtocolError", code: "ERR_HAND_OVER" });
    assert.equal(listener.closed, false);
    taken!.listeners["listener"]?.close();
  }
  assert.deepEqual(openSockets(), before);
});

test("a process that says something else, or nothing in time, takes nothing over", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const path = freshPath();
  using offer = handOver(path, { listener }, { readyTimeoutMs: 30 });
  for (const word of ["READY", "ready\n", ""]) {
    using peer = socket(AF_UNIX, SOCK_SEQPACKET);
    await peer.connect(path);
    const [, fds] = await recv_fds(peer, 1000, 10);
    assert.equal(fds.length, 1);
    socket(undefined, undefined, undefined, { fileno: fds[0] }).close();
    if (word !== "") await peer.sendall(word);
    assert.equal((await peer.recv(10)).length, 0);
  }
  assert.equal(listener.closed, false);
  void offer;
});

/** Offers what a test says. */
async function offering(path: string, message: string, fds: readonly number[]): Promise<Socket> {
  const control = socket(AF_UNIX, SOCK_SEQPACKET);
  control.bind(path);
  control.listen();
  void (async () => {
    const [peer] = await control.accept();
    if (message !== "") await send_fds(peer, [message], fds);
    peer.close();
  })();
  return control;
}

for (const [what, message, sent] of [
  ["no JSON", "hello", 1],
  ["nothing", "", 0],
  ["null", "null", 1],
  ["names that are none", '{"listeners":[1]}', 1],
  ["more names than descriptors", '{"listeners":["a","b"]}', 1],
  ["more descriptors than names", '{"listeners":["a"]}', 2],
  ["a name twice", '{"listeners":["a","a"]}', 2],
  ["a socket that does not listen", '{"listeners":["a"]}', 1],
  ["a datagram socket", '{"listeners":["a"]}', -1],
  ["no socket", '{"listeners":["a"]}', -2],
] as const)
  test(`takeOver() refuses an offer of ${what}, and closes what came`, async () => {
    const before = openSockets();
    const path = freshPath();
    const ends = socketpair(AF_UNIX, sent === -1 ? SOCK_DGRAM : SOCK_STREAM);
    const file = openSync("/dev/null", "r");
    const fds = sent === -2 ? [file] : ends.slice(0, Math.abs(sent)).map((end) => end.fileno());
    const control = await offering(path, message, fds);
    await assert.rejects(takeOver(path), { name: "RemoteProtocolError", code: "ERR_HAND_OVER" });
    closeSync(file);
    for (const each of [control, ...ends]) each.close();
    assert.deepEqual(openSockets(), before);
  });

test("handOver() refuses what it cannot offer, and names it", async () => {
  await using listener = await listenTcp("127.0.0.1");
  const path = freshPath();
  assert.equal(thrown(() => handOver(path, {})).code, "ERR_OUT_OF_RANGE");
  assert.match(thrown(() => handOver(path, { it: 5 as never })).message, /^listeners\.it /);
  assert.equal(thrown(() => handOver(path, { listener }, { readyTimeoutMs: 0 })).code, "ERR_OUT_OF_RANGE");
  using _ = handOver(path, { listener });
  assert.equal(thrown(() => handOver(path, { listener })).code, "EADDRINUSE");
});

test("descriptors are not given to another user's process (as root)", {
  skip: process.geteuid?.() === 0 ? false : "needs root, to be another user",
}, async () => {
  await using listener = await listenTcp("127.0.0.1");
  const path = Buffer.from(`\0${freshPath()}`); // a name that needs no permission
  using offer = handOver(path, { listener });
  await using stranger = program(import.meta.url, "stranger-child", { args: [path.toString("hex")] });
  const { stdout } = await stranger.succeeded();
  assert.equal(stdout.toString(), "received 0 bytes, 0 descriptors\ntakeOver EPERM\n");
  void offer;
});
