// relay() between a CPython client and a CPython server: neither knows that there is somebody between them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create_connection, relay } from "berkeley";
import { listenAt } from "../support/berkeley-tcp.ts";
import { portOf, python, PYTHON } from "../support/python.ts";

test("relay() carries conversations, half-closes and megabytes between CPython and CPython", {
  skip: PYTHON.skip,
}, async () => {
  using listener = listenAt();
  await using far = python(`
server = listen_at("127.0.0.1")
for _ in range(3):
    conn, address = server.accept()
    file = conn.makefile("rwb")
    for line in file:
        if line == b"bulk\\n": break
        file.write(line.upper()); file.flush()
    data = read_to_end(conn) if line != b"bulk\\n" else file.read()
    conn.sendall(data[::-1]); conn.shutdown(SHUT_WR)
    file.close(); conn.close()`);
  await using near = python(
    `
for turn in range(3):
    conn = create_connection(("127.0.0.1", int(sys.argv[1])))
    file = conn.makefile("rwb")
    for number in range(50):
        file.write(b"line %d\\n" % number); file.flush()
        assert file.readline() == b"LINE %d\\n" % number
    data = bytes(range(256)) * 20000
    file.write(b"bulk\\n"); file.flush()
    conn.sendall(data); conn.shutdown(SHUT_WR)
    assert file.read() == data[::-1]
    file.close(); conn.close()`,
    [listener.port],
  );
  const port = await portOf(far);
  for (let turn = 0; turn < 3; turn++) {
    using a = await listener.accept();
    using b = await create_connection(["127.0.0.1", port]);
    const { forward, backward } = await relay(a, b);
    assert.ok(forward.ended && backward.ended);
    assert.equal(forward.bytes, backward.bytes + 5);
  }
  await near.succeeded();
  await far.succeeded();
});
