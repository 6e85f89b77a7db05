// CPython's socket module at the other end, as client and as server, over IPv4 and IPv6.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { AF_INET, AF_INET6, create_connection, SHUT_WR, socket } from "berkeley";
import { listenAt, receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import { berkeley, serving } from "../support/cli.ts";
import { portOf, python, PYTHON } from "../support/python.ts";

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const skip = PYTHON.skip;

for (const host of ["127.0.0.1", "::1"]) {
  const url = host.includes(":") ? `tcp://[${host}]` : `tcp://${host}`;

  test(`sendall() and recv() exchange megabytes whole with a CPython server at ${host}`, {
    skip,
  }, async () => {
    const sent = randomBytes(3 << 20);
    await using peer = python(
      `
server = listen_at(sys.argv[1])
conn, address = server.accept()
data = read_to_end(conn)
say("sha256", hashlib.sha256(data).hexdigest())
conn.sendall(data[::-1])
conn.close()`,
      [host],
    );
    using conn = await create_connection([host, await portOf(peer)]);
    await conn.sendall(sent);
    conn.shutdown(SHUT_WR);
    assert.ok((await receiveToEnd(conn)).equals(sent.toReversed()));
    assert.match((await peer.succeeded()).stdout.toString(), new RegExp(`sha256 ${sha256(sent)}`));
  });

  test(`accept(), recv() and sendall() exchange megabytes whole with a CPython client at ${host}`, {
    skip,
  }, async () => {
    using listener = listenAt(host);
    await using peer = python(
      `
conn = create_connection((sys.argv[1], int(sys.argv[2])))
say("local", *conn.getsockname()[:2])
data = bytes(range(256)) * 12345
conn.sendall(data)
conn.shutdown(SHUT_WR)
assert read_to_end(conn) == data[::-1]
say("equal")`,
      [host, listener.port],
    );
    const [conn, address] = await listener.server.accept();
    using mine = conn;
    const data = await receiveToEnd(mine);
    assert.equal(data.length, 256 * 12_345);
    await mine.sendall(data.toReversed());
    mine.shutdown(SHUT_WR);
    const { stdout } = await peer.succeeded();
    assert.match(stdout.toString(), /equal/);
    assert.match(stdout.toString(), new RegExp(`^local ${address[0]} ${address[1]}$`, "m"));
  });

  test(`getsockname() and getpeername() are what a CPython server sees at ${host}`, { skip }, async () => {
    await using peer = python(
      `
server = listen_at(sys.argv[1])
conn, address = server.accept()
say("ends", *conn.getsockname(), *address)`,
      [host],
    );
    using conn = socket(host.includes(":") ? AF_INET6 : AF_INET);
    await conn.connect([host, await portOf(peer)]);
    const [, ends] = await peer.line(/^ends (.*)$/m);
    assert.equal([...conn.getpeername(), ...conn.getsockname()].join(" "), ends);
  });

  test(`berkeley echo answers a CPython client at ${host}`, { skip }, async () => {
    await using child = berkeley(["echo", `${url}:0`]);
    await using peer = python(
      `
conn = create_connection((sys.argv[1], int(sys.argv[2])))
data = bytes(range(256)) * 1000
conn.sendall(data)
conn.shutdown(SHUT_WR)
assert read_to_end(conn) == data`,
      [host, await serving(child)],
    );
    await peer.succeeded();
    await child.line(/ended after 256000 bytes/);
  });

  test(`berkeley connect speaks with a CPython server at ${host}`, { skip }, async () => {
    await using peer = python(
      `
server = listen_at(sys.argv[1])
conn, address = server.accept()
conn.sendall(read_to_end(conn).upper())
conn.close()`,
      [host],
    );
    await using child = berkeley(["connect", `${url}:${await portOf(peer)}`], { input: "quiet words" });
    assert.equal((await child.succeeded()).stdout.toString(), "QUIET WORDS");
  });
}

test("recv_into() and send() keep a conversation of many small messages in order with CPython", {
  skip,
}, async () => {
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, address = server.accept()
conn.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
for number in range(1000):
    message = conn.recv(4, MSG_WAITALL)
    assert struct.unpack("!I", message)[0] == number
    conn.sendall(message)
conn.close()`);
  using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
  const message = Buffer.alloc(4);
  for (let number = 0; number < 1000; number++) {
    message.writeUInt32BE(number);
    assert.equal(await conn.send(message), 4);
    assert.deepEqual(await receiveExactly(conn, 4), message);
  }
  assert.equal((await conn.recv(1)).length, 0);
  await peer.succeeded();
});

test("accept() serves a hundred CPython clients at once, each with its own bytes", { skip }, async () => {
  using listener = listenAt();
  await using peer = python(
    `
conns = [create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(100)]
for number, conn in enumerate(conns): conn.sendall(b"%03d" % number)
for number, conn in enumerate(conns): assert conn.recv(3, MSG_WAITALL) == b"%03d" % number
for conn in conns: conn.close()`,
    [listener.port],
  );
  const conversations: Promise<void>[] = [];
  for await (const [conn] of listener.server) {
    conversations.push(
      (async () => {
        using mine = conn;
        await mine.sendall(await receiveExactly(mine, 3));
        await receiveToEnd(mine);
      })(),
    );
    if (conversations.length === 100) break;
  }
  await Promise.all(conversations);
  await peer.succeeded();
});
