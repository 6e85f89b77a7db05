// A descriptor's number is never reused under a waiting operation: close() fails what waits with ECANCELED, everything
// after it fails with EBADF, and what the kernel still says about the old user of a number reaches no new one.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { SHUT_WR, SOL_SOCKET, SO_REUSEADDR, SO_TYPE, create_server, socket } from "berkeley";
import type { Socket } from "berkeley";
import { receiveToEnd } from "../support/berkeley-tcp.ts";
import {
  NARROW,
  TOO_MUCH,
  codeOf,
  pattern,
  rejection,
  stillWaits,
  tcpPair,
  thrown,
} from "../support/pair.ts";
import type { Pair } from "../support/pair.ts";

/** Rounds in which a number is closed and taken anew. */
const ROUNDS = 100;

const WAITING: Readonly<Record<string, (end: Socket) => Promise<unknown>>> = {
  accept: (end) => end.accept(),
  connect: (end) => end.connect(["127.0.0.1", 1]),
  connect_ex: async (end) => {
    const errno = await end.connect_ex(["127.0.0.1", 1]);
    throw Object.assign(new Error("connect_ex"), { code: errno === 9 ? "EBADF" : String(errno) });
  },
  recv: (end) => end.recv(1),
  "recv of nothing": (end) => end.recv(0),
  recv_into: (end) => end.recv_into(Buffer.alloc(1)),
  "recv_into nothing": (end) => end.recv_into(Buffer.alloc(0)),
  send: (end) => end.send("x"),
  sendall: (end) => end.sendall("x"),
  "sendall of nothing": (end) => end.sendall(""),
};
const PLAIN: Readonly<Record<string, (end: Socket) => unknown>> = {
  bind: (end) => end.bind(["127.0.0.1", 0]),
  detach: (end) => end.detach(),
  getpeername: (end) => end.getpeername(),
  getsockname: (end) => end.getsockname(),
  getsockopt: (end) => end.getsockopt(SOL_SOCKET, SO_TYPE),
  listen: (end) => end.listen(),
  setsockopt: (end) => end.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1),
  shutdown: (end) => end.shutdown(SHUT_WR),
};

for (const [name, call] of Object.entries(WAITING))
  test(`${name}() rejects with EBADF after close()`, async () => {
    const end = socket();
    end.close();
    const error = await rejection(call(end));
    assert.equal(error.code, "EBADF");
  });

for (const [name, call] of Object.entries(PLAIN))
  test(`${name}() throws EBADF after close()`, () => {
    const end = socket();
    end.close();
    const error = thrown(() => call(end));
    assert.deepEqual([error.name, error.code, error.syscall], ["SocketError", "EBADF", name]);
  });

test("what never needs a descriptor works after close()", () => {
  const end = socket();
  end.close();
  end.close();
  assert.deepEqual([end.fileno(), end.closed], [-1, true]);
  end.settimeout(2);
  assert.equal(end.ref().unref().gettimeout(), 2);
  assert.match(String(end), /^<Socket \[closed\] fd=-1/);
});

test("close() fails with ECANCELED all that waits, in both directions", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const bytes = pattern(TOO_MUCH);
  const waiting = [a.recv(1), a.recv_into(Buffer.alloc(1)), a.sendall(bytes), a.send("x")].map(rejection);
  a.close();
  const errors = await Promise.all(waiting);
  assert.deepEqual(
    errors.map(({ code, syscall }) => `${syscall} ${code}`),
    ["recv ECANCELED", "recv ECANCELED", "sendall ECANCELED", "send ECANCELED"],
  );
  assert.ok((await receiveToEnd(b)).equals(bytes.subarray(0, errors[2]?.bytesSent)));
});

test("close() fails with ECANCELED what waits for the next turn of the loop", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  a.setblocking(false);
  const codes = Array.from({ length: 3000 }, () => codeOf(a.recv(1))); // more than one turn makes
  a.close();
  assert.deepEqual(new Set(await Promise.all(codes.slice(-100))), new Set(["ECANCELED"]));
  assert.equal(await codes[0], "EAGAIN");
});

test("close() fails accept() and connect() that wait with ECANCELED", async () => {
  const server = create_server(["127.0.0.1", 0], { backlog: 0 });
  // A queue of one, full: the handshake of who comes next is not answered.
  const clients = Array.from({ length: 4 }, () => socket());
  const connecting = clients.map((client) => client.connect(server.getsockname()));
  const last = clients.at(-1) as Socket;
  await connecting[0];
  await stillWaits(connecting.at(-1) as Promise<void>);
  last.close();
  assert.equal(await codeOf(connecting.at(-1) as Promise<void>), "ECANCELED");
  for (const client of clients) client.close();
  await Promise.allSettled(connecting);
  using idle = create_server(["127.0.0.1", 0]);
  const accepting = codeOf(idle.accept());
  idle.close();
  assert.equal(await accepting, "ECANCELED");
  server.close();
});

test("connect() by name rejects with ECANCELED when closed during the lookup", async () => {
  const end = socket();
  const connecting = codeOf(end.connect(["localhost", 1]));
  end.close();
  assert.equal(await connecting, "ECANCELED");
});

test("detach() fails what waits with ECANCELED and leaves the connection open", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const waiting = codeOf(a.recv(1));
  const fd = a.detach();
  assert.equal(await waiting, "ECANCELED");
  using again = socket(undefined, undefined, undefined, { fileno: fd });
  await b.sendall("still here");
  assert.equal((await again.recv(100)).toString(), "still here");
});

/** A pair whose `a` has this number, which was just closed. */
async function pairAt(fd: number): Promise<Pair> {
  const spare: Socket[] = [];
  let a = socket();
  for (; a.fileno() !== fd && spare.length < 64; a = socket()) spare.push(a);
  for (const end of spare) end.close();
  assert.equal(a.fileno(), fd, "the number was taken anew");
  using server = create_server(["127.0.0.1", 0]);
  await a.connect(server.getsockname());
  const [b] = await server.accept();
  return {
    a,
    b,
    [Symbol.dispose]() {
      a.close();
      b.close();
    },
  };
}

test("a new socket with a closed one's number is not served the old one's events", async () => {
  for (let round = 0; round < ROUNDS; round++) {
    using old = await tcpPair();
    const fd = old.a.fileno();
    const cancelled = codeOf(old.a.recv(1));
    await old.b.sendall("for the old one"); // its event is in the poller now
    old.a.close();
    using fresh = await pairAt(fd);
    const waiting = fresh.a.recv(100);
    if (round === 0) await stillWaits(waiting);
    await fresh.b.sendall(`for the new one ${round}`);
    assert.equal((await waiting).toString(), `for the new one ${round}`);
    assert.equal(await cancelled, "ECANCELED");
  }
});

test("a closed socket that another process holds open does not wake the next user of its number", async () => {
  using old = await tcpPair();
  const fd = old.a.fileno();
  const cancelled = codeOf(old.a.recv(1));
  // Its copy of the descriptor keeps the connection, and with it what a poller knows of it, alive.
  const holder = spawn("/bin/cat", [], { stdio: ["pipe", "ignore", "ignore", fd] });
  const gone = once(holder, "exit");
  try {
    await once(holder, "spawn");
    old.a.close();
    assert.equal(await cancelled, "ECANCELED");
    using fresh = await pairAt(fd);
    const waiting = fresh.a.recv(100);
    await old.b.sendall("for the old one");
    await stillWaits(waiting);
    await fresh.b.sendall("for the new one");
    assert.equal((await waiting).toString(), "for the new one");
  } finally {
    holder.stdin?.end();
    await gone;
  }
});
