// EINTR never comes out; EAGAIN (of connect EINPROGRESS) comes out only in non-blocking mode.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SOCK_NONBLOCK, SOCK_STREAM, MSG_DONTWAIT, create_server, socket } from "berkeley";
import type { Socket } from "berkeley";
import { receiveExactly } from "../support/berkeley-tcp.ts";
import { NARROW, TOO_MUCH, codeOf, pattern, rejection, stillWaits, tcpPair } from "../support/pair.ts";
import { program } from "../support/program.ts";

test("a process that is bombarded with signals sees no EINTR and loses no byte (in a child process)", async () => {
  await using child = program(import.meta.url, "again-child");
  await child.line(/^ready$/m);
  let sent = 0;
  const over = new AbortController();
  const ended = child.exited.finally(() => over.abort());
  while (!over.signal.aborted) {
    for (let burst = 0; burst < 20; burst++) child.kill(burst % 2 === 0 ? "SIGURG" : "SIGWINCH");
    sent += 20;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { code, stdout, stderr } = await ended;
  assert.deepEqual([code, stderr.toString()], [0, ""]);
  const [, taken] = /(\d+) signals/.exec(stdout.toString()) ?? [];
  assert.ok(Number(taken) > 10, `${taken} of ${sent} signals were taken`);
});

/** The ways into non-blocking mode. */
const MODES: Readonly<Record<string, (end: Socket) => void>> = {
  "settimeout(0)": (end) => end.settimeout(0),
  "setblocking(false)": (end) => end.setblocking(false),
};

for (const [mode, enter] of Object.entries(MODES)) {
  test(`recv() and recv_into() reject with EAGAIN after ${mode}, and take what is there`, async () => {
    using pair = await tcpPair();
    const { a, b } = pair;
    enter(a);
    assert.equal(await codeOf(a.recv(1)), "EAGAIN");
    assert.equal(await codeOf(a.recv_into(Buffer.alloc(1))), "EAGAIN");
    await b.sendall("ab");
    assert.equal((await a.recv(1)).toString(), "a");
    assert.equal(await a.recv_into(Buffer.alloc(9)), 1);
    const error = await rejection(a.recv(1));
    assert.deepEqual([error.name, error.code, error.syscall], ["SocketError", "EAGAIN", "recv"]);
  });

  test(`sendall() rejects with EAGAIN after ${mode} and says how many bytes went`, async () => {
    using pair = await tcpPair(NARROW);
    const { a, b } = pair;
    enter(a);
    const bytes = pattern(TOO_MUCH);
    const error = await rejection(a.sendall(bytes));
    assert.equal(error.code, "EAGAIN");
    const went = error.bytesSent as number;
    assert.ok(went > 0 && went < TOO_MUCH);
    assert.ok((await receiveExactly(b, went)).equals(bytes.subarray(0, went)));
  });

  test(`accept() rejects with EAGAIN after ${mode}, and takes the connection that is there`, async () => {
    using server = create_server(["127.0.0.1", 0]);
    enter(server);
    assert.equal(await codeOf(server.accept()), "EAGAIN");
    using client = socket();
    await client.connect(server.getsockname());
    const [conn] = await server.accept();
    assert.equal(conn.gettimeout(), null, "a connection begins with the default timeout");
    conn.close();
  });

  test(`connect() rejects with EINPROGRESS after ${mode}, and has begun`, async () => {
    using server = create_server(["127.0.0.1", 0]);
    using client = socket();
    enter(client);
    const error = await rejection(client.connect(server.getsockname()));
    assert.deepEqual([error.code, error.syscall], ["EINPROGRESS", "connect"]);
    const [conn, address] = await server.accept();
    assert.deepEqual(address, client.getsockname());
    conn.close();
  });

  test(`recv() rejects with EAGAIN after ${mode} while an earlier one waits, and does not overtake it`, async () => {
    using pair = await tcpPair();
    const { a, b } = pair;
    const waiting = a.recv(1);
    enter(a);
    await b.sendall("12");
    assert.equal(await codeOf(a.recv(1)), "EAGAIN");
    assert.equal((await waiting).toString(), "1");
    assert.equal((await a.recv(1)).toString(), "2");
  });
}

test("recv() rejects with EAGAIN on a socket made with SOCK_NONBLOCK", async () => {
  using server = create_server(["127.0.0.1", 0]);
  using client = socket(undefined, SOCK_STREAM | SOCK_NONBLOCK);
  assert.deepEqual([client.gettimeout(), client.getblocking(), client.type], [0, false, SOCK_STREAM]);
  assert.equal(await codeOf(client.connect(server.getsockname())), "EINPROGRESS");
});

test("recv() with MSG_DONTWAIT rejects with EAGAIN where it would wait", async () => {
  using pair = await tcpPair();
  assert.equal(await codeOf(pair.a.recv(1, MSG_DONTWAIT)), "EAGAIN");
});

test("recv(), sendall(), accept() and connect() wait in blocking mode", async () => {
  using pair = await tcpPair(NARROW);
  using server = create_server(["127.0.0.1", 0], { backlog: 0 });
  const { a } = pair;
  a.setblocking(false);
  a.setblocking(true);
  assert.equal(a.gettimeout(), null);
  const clients = Array.from({ length: 4 }, () => socket());
  const connecting = clients.map((client) => client.connect(server.getsockname()));
  using idle = create_server(["127.0.0.1", 0]);
  const waiting = [a.recv(1), a.sendall(pattern(TOO_MUCH)), idle.accept(), connecting.at(-1)];
  await Promise.all(waiting.map((promise) => stillWaits(promise as Promise<unknown>)));
  a.close();
  idle.close();
  for (const client of clients) client.close();
  await Promise.allSettled([...waiting, ...connecting]);
});
