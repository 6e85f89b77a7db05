// CPython's datagram sockets at the other end, both ways.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { portOf, python, PYTHON } from "../support/python.ts";
import { udpAt } from "../support/udp.ts";

const skip = PYTHON.skip;

for (const host of ["127.0.0.1", "::1"]) {
  test(`sendto() and recvfrom() converse with a CPython server at ${host}`, { skip }, async () => {
    await using peer = python(
      `
server = socket(AF_INET6 if ":" in sys.argv[1] else AF_INET, SOCK_DGRAM)
server.bind((sys.argv[1], 0))
say("port", server.getsockname()[1])
for number in range(100):
    data, address = server.recvfrom(2048)
    say("heard", len(data), *address)
    server.sendto(data[::-1], address)`,
      [host],
    );
    using sock = udpAt(host);
    const to = [host, await portOf(peer)] as const;
    for (let number = 0; number < 100; number++) {
      const data = randomBytes(number);
      await sock.sendto(data, to);
      const [answer, address] = await sock.recvfrom(2048);
      assert.ok(answer.equals(data.toReversed()));
      assert.deepEqual(address.slice(0, 2), to);
    }
    const { stdout } = await peer.succeeded();
    assert.match(stdout.toString(), new RegExp(`^heard 99 ${sock.getsockname().join(" ")}$`, "m"));
  });

  test(`recvfrom() and sendto() converse with a CPython client at ${host}`, { skip }, async () => {
    using server = udpAt(host);
    await using peer = python(
      `
client = socket(AF_INET6 if ":" in sys.argv[1] else AF_INET, SOCK_DGRAM)
client.connect((sys.argv[1], int(sys.argv[2])))
say("local", *client.getsockname())
for size in (0, 1, 1200, 9000, 65507 if "." in sys.argv[1] else 65000):
    client.send(bytes(size))
    assert client.recv(70000) == str(size).encode()
say("done")`,
      [host, server.getsockname()[1]],
    );
    const [, local] = await peer.line(/^local (.*)$/m);
    for (let count = 0; count < 5; count++) {
      const [data, address] = await server.recvfrom(70_000);
      assert.equal(address.join(" "), local);
      await server.sendto(String(data.length), address);
    }
    await peer.line(/^done$/m);
  });
}

test("recvfrom() tells a hundred CPython clients apart", { skip }, async () => {
  using server = udpAt();
  await using peer = python(
    `
clients = [socket(AF_INET, SOCK_DGRAM) for _ in range(100)]
for number, client in enumerate(clients): client.sendto(b"%03d" % number, ("127.0.0.1", int(sys.argv[1])))
for number, client in enumerate(clients): assert client.recv(16) == b"%03d" % number
say("all")`,
    [server.getsockname()[1]],
  );
  for (let count = 0; count < 100; count++) {
    const [data, address] = await server.recvfrom(16);
    await server.sendto(data, address);
  }
  await peer.line(/^all$/m);
});
