// Datagrams in the command, over UDP and Unix sockets, with CPython, nc, ncat, socat and node:dgram at the other end.

import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import type { Socket as NodeSocket } from "node:dgram";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { test } from "node:test";
import { AF_UNIX, SOCK_DGRAM, socket } from "berkeley";
import { berkeley, run, serving } from "../support/cli.ts";
import { folder } from "../support/files.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { portOf, python, PYTHON } from "../support/python.ts";
import { udpAt } from "../support/udp.ts";

const nc = requirePeer("nc");
const ncat = requirePeer("ncat");
const socat = requirePeer("socat");
const ANY = "udp://127.0.0.1:0";

/** A bound node:dgram socket, closed when disposed. */
async function nodeUdp(): Promise<AsyncDisposable & { socket: NodeSocket; port: number }> {
  const made = createSocket("udp4");
  made.bind(0, "127.0.0.1");
  await once(made, "listening");
  return {
    socket: made,
    port: made.address().port,
    async [Symbol.asyncDispose]() {
      made.close();
      await once(made, "close");
    },
  };
}

/** The next datagram that it receives, as text. */
async function heard(made: NodeSocket): Promise<string> {
  const [data] = (await once(made, "message")) as [Buffer];
  return data.toString();
}

for (const host of ["127.0.0.1", "[::1]"])
  test(`connect udp:// converses with CPython at ${host}, and ends after its input`, {
    skip: PYTHON.skip,
  }, async () => {
    await using peer = python(
      `
server = socket(AF_INET6 if ":" in sys.argv[1] else AF_INET, SOCK_DGRAM)
server.bind((sys.argv[1], 0))
say("port", server.getsockname()[1])
for _ in range(2):
    data, sender = server.recvfrom(2048)
    server.sendto(data.upper(), sender)`,
      [host.replaceAll(/[[\]]/g, "")],
    );
    await using child = berkeley(["connect", "-q", "0.1", `udp://${host}:${await portOf(peer)}`]);
    child.stdin.write("one,");
    await child.bytes(4);
    child.stdin.write("two");
    await child.bytes(7);
    child.stdin.end();
    assert.equal((await child.succeeded()).stdout.toString(), "ONE,TWO");
    await peer.succeeded();
  });

test("connect udp:// cuts long input into datagrams of 8192 bytes at most, and loses nothing", async () => {
  using server = udpAt();
  const input = Buffer.alloc(100_000, "0123456789");
  await using child = berkeley(["connect", "-q", "0.1", `udp://127.0.0.1:${server.getsockname()[1]}`], {
    input,
  });
  let received = Buffer.alloc(0);
  while (received.length < input.length) {
    const [data] = await server.recvfrom(65_536);
    assert.ok(data.length > 0 && data.length <= 8192);
    received = Buffer.concat([received, data]);
  }
  assert.ok(received.equals(input));
  await child.succeeded();
});

test("connect udp:// takes answers of any size, empty ones too, after its input has ended", async () => {
  await using server = await nodeUdp();
  await using child = berkeley(["connect", "-q", "30", `udp://127.0.0.1:${server.port}`], { input: "?" });
  const [, sender] = (await once(server.socket, "message")) as [Buffer, { port: number }];
  for (const size of [0, 1, 65_507]) server.socket.send(Buffer.alloc(size, "x"), sender.port, "127.0.0.1");
  assert.equal((await child.bytes(65_508)).length, 65_508);
  child.kill("SIGINT");
  assert.equal((await child.exited).signal, "SIGINT");
});

test("connect udp:// ends with 1 when nobody takes its datagrams", async () => {
  using taken = udpAt(); // connected elsewhere: the port is nobody else's, and takes nothing
  await taken.connect(["127.0.0.1", 9]);
  const url = `udp://127.0.0.1:${taken.getsockname()[1]}`;
  const { code, stderr } = await run(["connect", "-q", "30", url], { input: "anyone?" });
  assert.match(stderr.toString(), /^berkeley: \w+ ECONNREFUSED: connection refused/);
  assert.equal(code, 1);
});

test("listen udp:// converses with its first sender, and hears no other", async () => {
  await using first = await nodeUdp();
  await using second = await nodeUdp();
  await using child = berkeley(["listen", "-q", "0.1", ANY]);
  const port = await serving(child, "stderr");
  first.socket.send("a1,", port, "127.0.0.1");
  await child.line(new RegExp(`^berkeley: 127\\.0\\.0\\.1:${first.port} sent something\n`, "m"), "stderr");
  await child.bytes(3);
  second.socket.on("error", () => {}).send("b1,", port, "127.0.0.1");
  child.stdin.write("to a");
  assert.equal(await heard(first.socket), "to a");
  first.socket.send("a2,", port, "127.0.0.1");
  await child.bytes(6);
  child.stdin.end();
  assert.equal((await child.succeeded()).stdout.toString(), "a1,a2,");
});

test("listen udp:// says that --keep is for connections", async () => {
  const { code, stderr } = await run(["listen", "--keep", ANY]);
  assert.match(stderr.toString(), /^berkeley: --keep is for connections: datagrams have no end/);
  assert.equal(code, 2);
});

test("listen udp:// says that the port is in use", async () => {
  await using other = await nodeUdp();
  const { code, stderr } = await run(["listen", `udp://127.0.0.1:${other.port}`]);
  assert.match(stderr.toString(), /: the port is in use by another program \(to see which: ss -lunp /);
  assert.equal(code, 1);
});

test("echo udp:// sends each datagram back to its sender, empty ones too, and prints them", async () => {
  await using child = berkeley(["echo", ANY]);
  const port = await serving(child);
  await using a = await nodeUdp();
  await using b = await nodeUdp();
  a.socket.send("from a", port, "127.0.0.1");
  b.socket.send("", port, "127.0.0.1");
  assert.deepEqual(await Promise.all([heard(a.socket), heard(b.socket)]), ["from a", ""]);
  a.socket.send(Buffer.alloc(65_507, "y"), port, "127.0.0.1");
  assert.equal((await heard(a.socket)).length, 65_507);
  await child.line(/sent 65507 bytes: y+ … \d+ more bytes\n/);
  const output = child.output().toString();
  assert.match(output, new RegExp(`^127\\.0\\.0\\.1:${a.port} sent 6 bytes: from a$`, "m"));
  assert.match(output, new RegExp(`^127\\.0\\.0\\.1:${b.port} sent 0 bytes: $`, "m"));
  child.kill("SIGINT");
  await child.succeeded();
});

test("echo udp://:0 is reached over IPv4 and over IPv6", async () => {
  await using child = berkeley(["echo", "udp://:0"]);
  const port = await serving(child);
  for (const host of ["127.0.0.1", "::1"]) {
    using client = udpAt(host);
    await client.connect([host, port]);
    await client.send("x");
    assert.equal((await client.recv(10)).toString(), "x");
  }
  await child.line(/^127\.0\.0\.1:\d+ sent 1 byte: x$/m);
  await child.line(/^\[::1\]:\d+ sent 1 byte: x$/m);
});

// These programs end when their input does: it stays open until the answer is there.
const udpClients = {
  nc: { skip: nc.skip, args: (port: number) => [nc.path, "-u", "127.0.0.1", String(port)] },
  ncat: { skip: ncat.skip, args: (port: number) => [ncat.path, "-u", "127.0.0.1", String(port)] },
  socat: { skip: socat.skip, args: (port: number) => [socat.path, "-", `UDP:127.0.0.1:${port}`] },
};

for (const [name, { skip, args }] of Object.entries(udpClients))
  test(`echo udp:// and listen udp:// speak with ${name}`, { skip }, async () => {
    for (const command of ["echo", "listen"]) {
      await using child = berkeley([command, ANY]);
      const port = await serving(child, command === "echo" ? "stdout" : "stderr");
      const [program = "", ...rest] = args(port);
      await using peer = start(program, rest);
      peer.stdin.write("question");
      if (command === "listen") {
        await child.bytes(8);
        child.stdin.write("question");
      }
      assert.equal((await peer.bytes(8)).toString(), "question");
    }
  });

test("connect udp:// speaks with nc -u -l", { skip: nc.skip }, async () => {
  await using peer = start(nc.path, ["-v", "-u", "-n", "-l", "127.0.0.1", "0"]);
  const [, port] = await peer.line(/Bound on \S+ (\d+)/, "stderr");
  await using child = berkeley(["connect", "-q", "0.1", `udp://127.0.0.1:${port}`]);
  child.stdin.write("question");
  assert.equal((await peer.bytes(8)).toString(), "question");
  peer.stdin.write("answer");
  await child.bytes(6);
  child.stdin.end();
  assert.equal((await child.succeeded()).stdout.toString(), "answer");
});

for (const [scheme, prefix] of [
  ["unix-dgram", ""],
  ["abstract-dgram", "\\0"],
] as const) {
  test(`connect ${scheme}:// is answered by CPython, and leaves nothing behind`, {
    skip: PYTHON.skip,
  }, async () => {
    using dir = folder();
    await using peer = python(
      `
server = socket(AF_UNIX, SOCK_DGRAM)
server.bind("${prefix}" + sys.argv[1])
say("listening")
for _ in range(2):
    data, sender = server.recvfrom(2048)
    server.sendto(data.upper(), sender)`,
      [dir.path("s")],
    );
    await peer.line(/listening/);
    await using child = berkeley(["connect", "-q", "0.1", `${scheme}://${dir.path("s")}`]);
    child.stdin.write("one,");
    await child.bytes(4);
    child.stdin.write("two");
    await child.bytes(7);
    child.stdin.end();
    assert.equal((await child.succeeded()).stdout.toString(), "ONE,TWO");
    await peer.succeeded();
    assert.deepEqual(readdirSync(dir.path(".")), prefix === "" ? ["s"] : []);
  });

  test(`echo ${scheme}:// answers CPython, and says that a sender without a name cannot be`, {
    skip: PYTHON.skip,
  }, async () => {
    using dir = folder();
    await using child = berkeley(["echo", `${scheme}://${dir.path("s")}`]);
    await child.line(/listening/);
    await using peer = python(
      `
server = "${prefix}" + sys.argv[1]
nameless = socket(AF_UNIX, SOCK_DGRAM)
nameless.sendto(b"psst", server)
client = socket(AF_UNIX, SOCK_DGRAM)
client.bind(sys.argv[2])
for size in (0, 1, 100000):
    client.sendto(b"x" * size, server)
    assert len(client.recv(262144)) == size
gone = socket(AF_UNIX, SOCK_DGRAM)
gone.bind(sys.argv[2] + "-gone")
import os
os.unlink(sys.argv[2] + "-gone")
gone.sendto(b"bye", server)
client.sendto(b"still there?", server)
say(client.recv(100).decode())`,
      [dir.path("s"), dir.path("client")],
    );
    assert.equal((await peer.succeeded()).stdout.toString(), "still there?\n");
    const output = child.output().toString();
    assert.match(output, /^a sender without a name sent 4 bytes: psst$/m);
    assert.match(output, /^a sender without a name cannot be answered: it has no name$/m);
    assert.match(output, /^\/\S+\/client sent 100000 bytes: x+ … \d+ more bytes$/m);
    assert.match(output, /^\/\S+\/client-gone cannot be answered: sendto ENOENT/m);
  });
}

test("echo unix-dgram:// answers others while one takes no answers", async () => {
  using dir = folder();
  const server = dir.path("s");
  await using child = berkeley(["echo", `unix-dgram://${dir.path("s")}`]);
  await child.line(/listening/);
  using deaf = socket(AF_UNIX, SOCK_DGRAM);
  deaf.bind(dir.path("deaf"));
  for (let sent = 0; !/deaf cannot be answered: sendto EAGAIN/.test(child.output().toString()); sent++)
    await deaf.sendto(`${sent}`, server);
  using other = socket(AF_UNIX, SOCK_DGRAM);
  other.bind(dir.path("other"));
  await other.sendto("me", server);
  assert.equal((await other.recv(10)).toString(), "me");
});

test("echo unix-dgram:// answers nc -U -u and socat", { skip: nc.skip || socat.skip }, async () => {
  using dir = folder();
  await using child = berkeley(["echo", `unix-dgram://${dir.path("s")}`]);
  await child.line(/listening/);
  for (const [program, ...args] of [
    [nc.path, "-U", "-u", "-s", dir.path("nc"), dir.path("s")],
    [socat.path, "-", `UNIX-SENDTO:${dir.path("s")},bind=${dir.path("socat")}`],
  ] as const) {
    await using peer = start(program, args);
    peer.stdin.write("question");
    assert.equal((await peer.bytes(8)).toString(), "question");
  }
});

test("listen unix-dgram:// takes what a sender without a name sends", async () => {
  using dir = folder();
  await using child = berkeley(["listen", "-q", "0.1", `unix-dgram://${dir.path("s")}`]);
  await child.line(/listening/, "stderr");
  using nameless = socket(AF_UNIX, SOCK_DGRAM);
  await nameless.connect(dir.path("s"));
  await nameless.send("one,");
  await nameless.send("two");
  await child.line(/a sender without a name sent something, and cannot be answered\n/, "stderr");
  await child.bytes(7);
  child.stdin.end();
  assert.equal((await child.succeeded()).stdout.toString(), "one,two");
  assert.deepEqual(readdirSync(dir.path(".")), []);
});
