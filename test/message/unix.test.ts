// Unix sockets with names: paths, abstract names, names that the system picks; what they tell about the peer; full
// queues, which no event tells of; files of sockets that died.

import assert from "node:assert/strict";
import { closeSync, existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  AF_INET,
  AF_UNIX,
  CMSG_SPACE,
  MSG_DONTWAIT,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_PASSCRED,
  SO_PEERCRED,
  SO_PEERPIDFD,
  SocketError,
  create_server,
  socket,
  socketpair,
  unlink_stale,
} from "berkeley";
import type { Socket, UnixAddress } from "berkeley";
import { openDescriptors } from "../support/descriptors.ts";
import { codeOf } from "../support/errors.ts";
import { folder } from "../support/files.ts";

let count = 0;
/** An abstract name that nobody else has. */
const abstractName = (): string => `\0berkeley test ${process.pid} ${process.hrtime.bigint()} ${count++}`;

for (const [kind, type] of Object.entries({ stream: SOCK_STREAM, seqpacket: SOCK_SEQPACKET }))
  for (const naming of ["a path", "an abstract name", "an abstract name in bytes"])
    test(`connect() and accept() meet at ${naming} (${kind})`, async () => {
      using files = folder();
      const name = abstractName();
      const address: UnixAddress = {
        "a path": files.path("here"),
        "an abstract name": name,
        "an abstract name in bytes": Buffer.concat([Buffer.from(name), Buffer.of(0, 255, 254)]),
      }[naming] as UnixAddress;
      using server = socket(AF_UNIX, type);
      server.bind(address);
      server.listen();
      const told = naming === "a path" ? address : Buffer.from(address as string);
      assert.deepEqual(server.getsockname<UnixAddress>(), told);
      using client = socket(AF_UNIX, type);
      const accepting = server.accept<UnixAddress>();
      await client.connect(address);
      const [accepted, from] = await accepting;
      using conn = accepted;
      assert.equal(from, "");
      assert.deepEqual(client.getpeername<UnixAddress>(), told);
      await client.sendall("to the server");
      assert.equal((await conn.recv(64)).toString(), "to the server");
      await conn.sendall("to the client");
      assert.deepEqual(await client.recvfrom<UnixAddress>(64), [Buffer.from("to the client"), told]);
      client.close();
      assert.equal((await conn.recv(64)).length, 0);
    });

for (const naming of ["paths", "abstract names"])
  test(`sendto() and recvfrom() exchange Unix datagrams between ${naming}`, async () => {
    using files = folder();
    const [one, other] =
      naming === "paths" ? [files.path("one"), files.path("other")] : [abstractName(), abstractName()];
    const told = (name: string): UnixAddress => (naming === "paths" ? name : Buffer.from(name));
    using a = socket(AF_UNIX, SOCK_DGRAM);
    using b = socket(AF_UNIX, SOCK_DGRAM);
    a.bind(one);
    b.bind(other);
    await a.sendto("question", other);
    const [question, from] = await b.recvfrom<UnixAddress>(64);
    assert.equal(question.toString(), "question");
    assert.deepEqual(from, told(one));
    await b.sendto("answer", from);
    assert.deepEqual(await a.recvfrom<UnixAddress>(64), [Buffer.from("answer"), told(other)]);
    await a.sendmsg(["and ", "a message"], [], 0, other);
    const [message, , , sender] = await b.recvmsg<UnixAddress>(64);
    assert.equal(message.toString(), "and a message");
    assert.deepEqual(sender, told(one));
    // An empty datagram is none of an end.
    await a.sendto("", other);
    assert.deepEqual(await b.recvfrom<UnixAddress>(64), [Buffer.alloc(0), told(one)]);
  });

test('recvfrom() tells "" for a Unix datagram of a socket without a name', async () => {
  const name = abstractName();
  using server = socket(AF_UNIX, SOCK_DGRAM);
  server.bind(name);
  using client = socket(AF_UNIX, SOCK_DGRAM);
  await client.sendto("x", name);
  assert.deepEqual(await server.recvfrom<UnixAddress>(8), [Buffer.from("x"), ""]);
});

test('bind() to "" lets the system pick an abstract name, which others can send to', async () => {
  using server = socket(AF_UNIX, SOCK_DGRAM);
  server.bind("");
  const name = server.getsockname<UnixAddress>();
  assert.ok(Buffer.isBuffer(name));
  assert.match(name.toString("latin1"), /^\0[0-9a-f]{5}$/);
  using client = socket(AF_UNIX, SOCK_DGRAM);
  client.bind("");
  await client.sendto("x", name);
  assert.deepEqual(await server.recvfrom<UnixAddress>(8), [
    Buffer.from("x"),
    client.getsockname<UnixAddress>(),
  ]);
});

test("recvfrom() gives a path that is not UTF-8 as bytes, which can be sent to", async () => {
  using files = folder();
  const path = Buffer.concat([Buffer.from(files.path("")), Buffer.of(0xff, 0xfe)]);
  using a = socket(AF_UNIX, SOCK_DGRAM);
  using b = socket(AF_UNIX, SOCK_DGRAM);
  a.bind(path);
  b.bind("");
  await a.sendto("x", b.getsockname<UnixAddress>());
  const [, from] = await b.recvfrom<UnixAddress>(8);
  assert.deepEqual(from, path);
  await b.sendto("back", from);
  assert.equal((await a.recv(8)).toString(), "back");
});

for (const call of ["bind", "connect", "sendto"] as const)
  test(`${call}() says how long a Unix socket's name may be when a path is too long`, async () => {
    using sock = socket(AF_UNIX, SOCK_DGRAM);
    const path = `/tmp/${"x".repeat(103)}`;
    const calls = {
      bind: async (): Promise<void> => sock.bind(path),
      connect: () => sock.connect(path),
      sendto: () => sock.sendto("x", path),
    };
    await assert.rejects(calls[call](), (error: unknown) => {
      assert.ok(error instanceof SocketError);
      assert.equal(error.code, "ENAMETOOLONG");
      assert.match(error.message, /at most 107 bytes, not 108/);
      return true;
    });
  });

test("bind() takes a path of 107 bytes and an abstract name of 108", () => {
  using files = folder();
  const start = files.path("");
  const path = start + "p".repeat(107 - Buffer.byteLength(start));
  using a = socket(AF_UNIX);
  a.bind(path);
  assert.equal(a.getsockname<UnixAddress>(), path);
  const name = abstractName().padEnd(108, "n");
  using b = socket(AF_UNIX);
  b.bind(name);
  assert.deepEqual(b.getsockname<UnixAddress>(), Buffer.from(name));
});

test("connect() and sendto() reject with ENOENT where there is no file, ECONNREFUSED where nobody listens", async () => {
  using files = folder();
  using stream = socket(AF_UNIX);
  assert.equal(await codeOf(stream.connect(files.path("nothing"))), "ENOENT");
  const dead = socket(AF_UNIX, SOCK_DGRAM);
  dead.bind(files.path("dead"));
  dead.close();
  using datagram = socket(AF_UNIX, SOCK_DGRAM);
  const error = await datagram.sendto("x", files.path("dead")).catch((reason: unknown) => reason);
  assert.ok(error instanceof SocketError);
  assert.equal(error.code, "ECONNREFUSED");
  assert.match(error.message, /→ .*dead/);
  assert.equal(await codeOf(datagram.connect(abstractName())), "ECONNREFUSED");
});

/** Connects until the listener's queue is full; the connected ones. */
async function fillQueue(name: string): Promise<Socket[]> {
  const connected: Socket[] = [];
  for (;;) {
    const client = socket(AF_UNIX);
    client.setblocking(false);
    try {
      await client.connect(name);
      connected.push(client);
    } catch (error) {
      assert.equal((error as SocketError).code, "EAGAIN");
      client.close();
      return connected;
    }
  }
}

test("connect() waits while a Unix listener's queue is full, and goes on when there is room", async () => {
  const name = abstractName();
  using server = socket(AF_UNIX);
  server.bind(name);
  server.listen(1);
  const queued = await fillQueue(name);
  using late = socket(AF_UNIX);
  const connecting = late.connect(name);
  const taken: Socket[] = [];
  for (let accepted = 0; accepted <= queued.length; accepted++) taken.push((await server.accept())[0]);
  await connecting;
  await late.send("here");
  assert.equal((await (taken.at(-1) as Socket).recv(8)).toString(), "here");
  for (const sock of [...queued, ...taken]) sock.close();
});

test("connect() to a Unix listener whose queue stays full ends by timeout, abort or close", async () => {
  const name = abstractName();
  using server = socket(AF_UNIX);
  server.bind(name);
  server.listen(0);
  const queued = await fillQueue(name);
  using late = socket(AF_UNIX);
  late.settimeout(0.05);
  await assert.rejects(late.connect(name), { name: "TimeoutError", syscall: "connect" });
  late.settimeout(null);
  const stop = new AbortController();
  const aborted = late.connect(name, { signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  const canceled = codeOf(late.connect(name));
  late.close();
  assert.equal(await canceled, "ECANCELED");
  for (const sock of queued) sock.close();
});

test("connect() to a full Unix listener that goes away rejects with ECONNREFUSED", async () => {
  const name = abstractName();
  const server = socket(AF_UNIX);
  server.bind(name);
  server.listen(0);
  const queued = await fillQueue(name);
  using late = socket(AF_UNIX);
  const refused = codeOf(late.connect(name));
  server.close();
  assert.equal(await refused, "ECONNREFUSED");
  for (const sock of queued) sock.close();
});

/** Sends until the receiver's queue is full; how many went. */
async function fillReceiver(name: string): Promise<number> {
  using sender = socket(AF_UNIX, SOCK_DGRAM);
  for (let sent = 0; ; sent++) {
    const code = await sender.sendto("fill", MSG_DONTWAIT, name).then(
      () => undefined,
      (error: unknown) => (error as SocketError).code,
    );
    if (code === undefined) continue;
    assert.equal(code, "EAGAIN");
    return sent;
  }
}

for (const how of ["sendto() to its name", "sendmsg() to its name", "send() once connected"])
  test(`${how} waits while a Unix receiver's queue is full of others' datagrams`, async () => {
    const name = abstractName();
    using server = socket(AF_UNIX, SOCK_DGRAM);
    server.bind(name);
    const full = await fillReceiver(name);
    assert.ok(full > 0);
    using sender = socket(AF_UNIX, SOCK_DGRAM);
    if (how.startsWith("send()")) await sender.connect(name);
    const sending = {
      "sendto() to its name": () => sender.sendto("late", name),
      "sendmsg() to its name": () => sender.sendmsg(["late"], [], 0, name),
      "send() once connected": () => sender.send("late"),
    }[how] as () => Promise<number>;
    const waits = sending();
    const after = sending();
    for (let heard = 0; heard < full; heard++) assert.equal((await server.recv(8)).toString(), "fill");
    assert.equal(await waits, 4);
    assert.equal(await after, 4);
    assert.equal((await server.recv(8)).toString(), "late");
    assert.equal((await server.recv(8)).toString(), "late");
  });

test("sendto() to a full Unix receiver that is aborted lets the next one go", async () => {
  const name = abstractName();
  using server = socket(AF_UNIX, SOCK_DGRAM);
  server.bind(name);
  const full = await fillReceiver(name);
  using sender = socket(AF_UNIX, SOCK_DGRAM);
  const stop = new AbortController();
  const aborted = sender.sendto("never", name, { signal: stop.signal });
  const next = sender.sendto("next", name);
  stop.abort(new Error("enough"));
  await assert.rejects(aborted, /enough/);
  for (let heard = 0; heard < full; heard++) await server.recv(8);
  await next;
  assert.equal((await server.recv(8)).toString(), "next");
});

test("getsockopt(SO_PEERCRED) tells the peer's process, user and group", () => {
  const [first, second] = socketpair();
  using a = first;
  using b = second;
  for (const sock of [a, b]) {
    const ucred = sock.getsockopt(SOL_SOCKET, SO_PEERCRED, 12);
    assert.deepEqual(
      [...new Uint32Array(new Uint8Array(ucred).buffer)],
      [process.pid, process.getuid?.(), process.getgid?.()],
    );
  }
});

/** Why this kernel cannot be asked for a peer's pidfd. */
function noPeerPidfd(): string | false {
  const [first, second] = socketpair();
  using a = first;
  using b = second;
  try {
    closeSync(a.getsockopt(SOL_SOCKET, SO_PEERPIDFD));
    return b.closed ? "closed" : false;
  } catch (error) {
    return `SO_PEERPIDFD (Linux 6.5): ${(error as Error).message}`;
  }
}

test("getsockopt(SO_PEERPIDFD) gives a descriptor of the peer's process, the caller's to close", {
  skip: noPeerPidfd(),
}, () => {
  const before = openDescriptors();
  const [first, second] = socketpair();
  using a = first;
  using b = second;
  const fd = b.getsockopt(SOL_SOCKET, SO_PEERPIDFD);
  const pid = /^Pid:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
  assert.equal(Number(pid), process.pid);
  closeSync(fd);
  a.close();
  b.close();
  assert.deepEqual(openDescriptors(), before);
});

test("recvmsg() tells the credentials of each sender of a Unix datagram server", async () => {
  const name = abstractName();
  using server = socket(AF_UNIX, SOCK_DGRAM);
  server.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
  server.bind(name);
  using client = socket(AF_UNIX, SOCK_DGRAM);
  await client.sendto("x", name);
  const [, ancdata, , from] = await server.recvmsg<UnixAddress>(8, CMSG_SPACE(12));
  assert.equal(ancdata[0]?.[2].readInt32LE(), process.pid);
  assert.equal(from, "");
});

for (const [kind, type] of Object.entries({
  stream: SOCK_STREAM,
  datagram: SOCK_DGRAM,
  seqpacket: SOCK_SEQPACKET,
})) {
  test(`unlink_stale() unlinks the path of a socket that is closed (${kind})`, () => {
    using files = folder();
    const path = files.path("stale");
    const died = socket(AF_UNIX, type);
    died.bind(path);
    died.close();
    assert.ok(existsSync(path));
    assert.equal(unlink_stale(path), true);
    assert.ok(!existsSync(path));
    using next = socket(AF_UNIX, type);
    next.bind(path);
  });

  test(`unlink_stale() leaves the path of a socket that is bound, which notices nothing (${kind})`, async () => {
    using files = folder();
    const path = files.path("alive");
    using alive = socket(AF_UNIX, type);
    alive.bind(path);
    assert.equal(unlink_stale(path), false);
    assert.ok(lstatSync(path).isSocket());
    if (type === SOCK_DGRAM) return assert.equal(await codeOf(alive.recv(1, MSG_DONTWAIT)), "EAGAIN");
    alive.listen(0);
    assert.equal(unlink_stale(path), false);
    assert.ok(existsSync(path));
    alive.setblocking(false);
    assert.equal(await codeOf(alive.accept()), "EAGAIN");
    for (const sock of type === SOCK_STREAM ? await fillQueue(path) : []) {
      assert.equal(unlink_stale(path), false);
      sock.close();
    }
  });
}

test("unlink_stale() leaves files that are no sockets, and what is not there", () => {
  using files = folder();
  writeFileSync(files.path("file"), "text");
  assert.equal(unlink_stale(files.path("file")), false);
  assert.equal(readFileSync(files.path("file"), "utf8"), "text");
  assert.equal(unlink_stale(files.path("nothing")), false);
  assert.equal(unlink_stale(""), false);
  assert.equal(unlink_stale(abstractName()), false);
  assert.equal(unlink_stale(Buffer.from(abstractName())), false);
});

test("create_server() with unlink_stale listens where a server died, and not where one lives", async () => {
  using files = folder();
  const path = files.path("server");
  create_server(path, { family: AF_UNIX }).close();
  assert.throws(() => create_server(path, { family: AF_UNIX }), { code: "EADDRINUSE" });
  using server = create_server(path, { family: AF_UNIX, unlink_stale: true });
  assert.throws(() => create_server(path, { family: AF_UNIX, unlink_stale: true }), { code: "EADDRINUSE" });
  using client = socket(AF_UNIX);
  await client.connect(path);
  (await server.accept())[0].close();
  assert.throws(() => create_server(["", 0], { family: AF_INET, unlink_stale: true }), {
    code: "ERR_INVALID_ARG_TYPE",
  });
});
