// settimeout() and setblocking(false) where calls block: the time, the errors, and that nothing is lost.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  AF_INET,
  AF_UNIX,
  EAGAIN,
  ECONNREFUSED,
  EINPROGRESS,
  EISCONN,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  SO_RCVBUF,
  SOL_SOCKET,
  SocketError,
  TimeoutError,
  create_connection,
  create_server,
  getdefaulttimeout,
  setdefaulttimeout,
  socket,
  socketpair,
} from "berkeley/sync";
import type { Socket } from "berkeley/sync";
import { PYTHON, portOf, python } from "../support/python.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-sync-"));
after(() => rmSync(folder, { recursive: true }));

/** Seconds that the calls are given here. */
const SHORT = 0.06;

/** A listener whose queue is full, and its path. */
function full(): [path: string, kept: Socket[]] {
  const path = join(folder, "full");
  const server = socket(AF_UNIX, SOCK_STREAM);
  server.bind(path);
  server.listen(0);
  const kept = [server];
  for (let code = 0; code === 0; ) {
    const client = socket(AF_UNIX, SOCK_STREAM);
    client.setblocking(false);
    code = client.connect_ex(path);
    kept.push(client);
  }
  return [path, kept];
}

const listener = (): Socket => create_server(["127.0.0.1", 0]);
const [fullPath, kept] = full();
after(() => kept.forEach((sock) => sock.close()));

/** Calls that wait for ever; each is given a socket of its own kind. */
const waiting: Readonly<Record<string, [make: () => Socket, call: (sock: Socket) => unknown]>> = {
  accept: [listener, (sock) => sock.accept()],
  recv: [(): Socket => pair(), (sock) => sock.recv(1)],
  recv_into: [(): Socket => pair(), (sock) => sock.recv_into(Buffer.alloc(1))],
  recvfrom: [(): Socket => pair(SOCK_DGRAM), (sock) => sock.recvfrom(1)],
  recvfrom_into: [(): Socket => pair(SOCK_DGRAM), (sock) => sock.recvfrom_into(Buffer.alloc(1))],
  recvmsg: [(): Socket => pair(), (sock) => sock.recvmsg(1)],
  sendall: [(): Socket => pair(), (sock) => sock.sendall(Buffer.alloc(10_000_000))],
  connect: [(): Socket => socket(AF_UNIX, SOCK_STREAM), (sock) => sock.connect(fullPath)],
};

const others: Socket[] = [];
after(() => others.forEach((sock) => sock.close()));
function pair(type: number = SOCK_STREAM): Socket {
  const [one, other] = socketpair(AF_UNIX, type);
  others.push(other);
  return one;
}

for (const [name, [make, call]] of Object.entries(waiting)) {
  test(`${name}() throws a TimeoutError when the time is up, and not before`, () => {
    using sock = make();
    sock.settimeout(SHORT);
    const begun = performance.now();
    assert.throws(
      () => call(sock),
      (error: TimeoutError) => {
        assert.ok(error instanceof TimeoutError && error instanceof SocketError);
        assert.deepEqual([error.code, error.seconds], ["ETIMEDOUT", SHORT]);
        assert.match(error.message, new RegExp(`^${error.syscall} ETIMEDOUT: timed out after ${SHORT} s`));
        return true;
      },
    );
    const took = performance.now() - begun;
    assert.ok(took >= SHORT * 1000, `${took} ms`);
  });

  test(`${name}() throws at once when the socket does not block`, () => {
    using sock = make();
    sock.setblocking(false);
    assert.deepEqual([sock.gettimeout(), sock.getblocking()], [0, false]);
    assert.throws(() => call(sock), { name: "SocketError", code: "EAGAIN", errno: EAGAIN });
  });
}

test("a call after a timeout receives what came meanwhile, and loses nothing", () => {
  const [a, b] = socketpair();
  a.settimeout(SHORT);
  assert.throws(() => a.recv(10), TimeoutError);
  b.send("late");
  assert.equal(a.recv(10).toString(), "late");
  assert.throws(
    () => a.sendall(Buffer.alloc(10_000_000, "x")),
    (error: TimeoutError) => {
      let received = 0;
      b.setblocking(false);
      try {
        for (;;) received += b.recv(1_000_000).length;
      } catch (end) {
        assert.equal((end as SocketError).errno, EAGAIN);
      }
      assert.equal(error.bytesSent, received);
      return true;
    },
  );
  a.close();
  b.close();
});

test("sendall() has its time for the whole, however much goes meanwhile", { skip: PYTHON.skip }, async () => {
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, _ = server.accept()
while conn.recv(1000): time.sleep(0.005)`);
  using sock = create_connection(["127.0.0.1", await portOf(peer)]);
  sock.settimeout(0.3);
  const begun = performance.now();
  assert.throws(() => sock.sendall(Buffer.alloc(100_000_000)), TimeoutError);
  assert.ok(performance.now() - begun < 10_000);
});

test("recv() with a timeout returns as soon as CPython sends", { skip: PYTHON.skip }, async () => {
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, _ = server.accept()
conn.recv(1)
time.sleep(0.05)
conn.sendall(b"answer")
conn.recv(1)`);
  using sock = create_connection(["127.0.0.1", await portOf(peer)], { timeout: 60 });
  sock.send("?");
  const begun = performance.now();
  assert.equal(sock.recv(100).toString(), "answer");
  const took = performance.now() - begun;
  assert.ok(took >= 40 && took < 30_000, `${took} ms`);
});

test("MSG_DONTWAIT does not wait, whatever the timeout", () => {
  const [a, b] = socketpair();
  assert.throws(() => a.recv(1, MSG_DONTWAIT), { code: "EAGAIN" });
  assert.throws(() => a.recvmsg(1, 0, MSG_DONTWAIT), { code: "EAGAIN" });
  a.close();
  b.close();
});

test("connect_ex() returns the errno, and 0 when it has connected", () => {
  using server = listener();
  using connected = socket();
  assert.equal(connected.connect_ex(server.getsockname()), 0);
  assert.equal(connected.connect_ex(server.getsockname()), EISCONN);
  const gone = listener();
  const address = gone.getsockname();
  gone.close();
  using refused = socket();
  assert.equal(refused.connect_ex(address), ECONNREFUSED);
  using slow = socket(AF_UNIX, SOCK_STREAM);
  slow.settimeout(SHORT);
  assert.equal(slow.connect_ex(fullPath), EAGAIN, "as in CPython");
});

test("connect() of a socket that does not block begins, and select would tell its end", () => {
  using server = listener();
  using sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK);
  assert.equal(sock.gettimeout(), 0);
  const code = sock.connect_ex(server.getsockname());
  assert.ok(code === 0 || code === EINPROGRESS, String(code));
  const [conn] = server.accept();
  sock.setblocking(true);
  assert.equal(sock.gettimeout(), null);
  sock.sendall("x");
  assert.equal(conn.recv(1).toString(), "x");
  conn.close();
});

test("send() blocks until there is room, and recv() makes it", () => {
  const [a, b] = socketpair();
  b.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096);
  a.setblocking(false);
  const chunk = Buffer.alloc(4096);
  let sent = 0;
  try {
    for (;;) sent += a.send(chunk);
  } catch (error) {
    assert.equal((error as SocketError).errno, EAGAIN);
  }
  a.settimeout(SHORT);
  assert.throws(() => a.send(chunk), TimeoutError);
  for (let received = 0; received < sent; ) received += b.recv(100_000).length;
  assert.equal(a.send("room"), 4);
  a.close();
  b.close();
});

test("sendto() to a Unix datagram socket that is full waits for room, by time", () => {
  const path = join(folder, "datagrams");
  using receiver = socket(AF_UNIX, SOCK_DGRAM);
  receiver.bind(path);
  using sender = socket(AF_UNIX, SOCK_DGRAM);
  sender.setblocking(false);
  assert.throws(
    () => {
      for (;;) sender.sendto("x", path);
    },
    { code: "EAGAIN" },
  );
  sender.settimeout(SHORT);
  assert.throws(() => sender.sendto("x", path), TimeoutError);
  receiver.recv(1);
  assert.equal(sender.sendto("x", path), 1);
});

test("setdefaulttimeout() holds for the sockets of both faces that are made afterwards", async () => {
  const before = getdefaulttimeout();
  try {
    setdefaulttimeout(SHORT);
    using made = socket();
    assert.equal(made.gettimeout(), SHORT);
    const { socket: other } = await import("berkeley");
    using promising = other();
    assert.equal(promising.gettimeout(), SHORT);
    using server = listener();
    assert.throws(() => server.accept(), TimeoutError);
    setdefaulttimeout(null);
    using plain = socket();
    assert.equal(plain.gettimeout(), null);
    assert.throws(() => setdefaulttimeout(-1), { code: "ERR_OUT_OF_RANGE" });
  } finally {
    setdefaulttimeout(before);
  }
});
