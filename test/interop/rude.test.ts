// Peers that do not behave: one that resets, one that half-closes, one that reads a byte every 10 ms.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create_connection, SHUT_WR, SocketError } from "berkeley";
import type { Socket } from "berkeley";
import { listenAt, receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import { codeOf } from "../support/errors.ts";
import { UNDER_SANITIZERS } from "../support/process.ts";
import { portOf, python, PYTHON } from "../support/python.ts";

const skip = PYTHON.skip;
const RESET = `conn.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0)); conn.close()`;

test("recv() that waits rejects with ECONNRESET when the peer resets", { skip }, async () => {
  await using peer = python(`
conn, address = listen_at("127.0.0.1").accept()
sys.stdin.read()
${RESET}`);
  using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
  const waiting = codeOf(conn.recv(1));
  peer.stdin.end();
  assert.equal(await waiting, "ECONNRESET");
  assert.equal((await conn.recv(1)).length, 0); // as recv(2): the error is told once
});

test("recv() delivers what came before a reset, then rejects with ECONNRESET", { skip }, async () => {
  using listener = listenAt();
  await using peer = python(
    `
conn = create_connection(("127.0.0.1", int(sys.argv[1])))
conn.sendall(b"before")
assert conn.recv(1) == b"."
${RESET}`,
    [listener.port],
  );
  using conn = await listener.accept();
  assert.equal((await receiveExactly(conn, 6)).toString(), "before");
  await conn.sendall(".");
  await peer.succeeded();
  assert.equal(await codeOf(conn.recv(1)), "ECONNRESET");
});

test("sendall() that waits rejects with ECONNRESET when the peer resets, and says how much went", {
  skip,
}, async () => {
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, address = server.accept()
conn.recv(1)
sys.stdin.read()
${RESET}`);
  using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
  const progress = { bytes: 0 };
  const data = Buffer.alloc(256 << 20);
  const waiting = conn.sendall(data, 0, { progress }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  peer.stdin.end();
  const error = await waiting;
  assert.ok(error instanceof SocketError);
  assert.match(error.code, /^(ECONNRESET|EPIPE)$/);
  assert.equal(error.bytesSent, progress.bytes);
  assert.ok(progress.bytes > 0 && progress.bytes < data.length);
});

test("accept() goes on when a peer has reset before it was accepted", { skip }, async () => {
  using listener = listenAt();
  await using rude = python(
    `
conn = create_connection(("127.0.0.1", int(sys.argv[1])))
${RESET}`,
    [listener.port],
  );
  await rude.succeeded();
  await using polite = python(
    `
conn = create_connection(("127.0.0.1", int(sys.argv[1])))
conn.sendall(b"hello")
conn.close()`,
    [listener.port],
  );
  const heard: string[] = [];
  for await (const [conn] of listener.server) {
    using mine = conn;
    heard.push(await receiveToEnd(mine).then(String, (error: unknown) => (error as SocketError).code));
    if (heard.length === 2) break;
  }
  assert.deepEqual(heard, ["ECONNRESET", "hello"]);
  await polite.succeeded();
});

test("sendall() still reaches a peer that has ended its side", { skip }, async () => {
  await using peer = python(`
conn, address = listen_at("127.0.0.1").accept()
conn.sendall(b"I am done")
conn.shutdown(SHUT_WR)
say("heard", len(read_to_end(conn)))`);
  using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
  assert.equal((await receiveToEnd(conn)).toString(), "I am done");
  await conn.sendall(Buffer.alloc(1 << 20));
  conn.shutdown(SHUT_WR);
  await peer.line(/^heard 1048576$/m);
  await peer.succeeded();
});

test("recv() still hears a peer after shutdown(SHUT_WR)", { skip }, async () => {
  await using peer = python(`
conn, address = listen_at("127.0.0.1").accept()
data = read_to_end(conn)
conn.sendall(data * 100000)
conn.close()`);
  using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
  await conn.sendall("0123456789");
  conn.shutdown(SHUT_WR);
  assert.equal((await receiveToEnd(conn)).length, 1_000_000);
});

/** What one paced peer must have read before the test believes that it is served at its own pace. */
const PACED_BYTES = 100;
const FLOOD_BYTES = 64 << 20;
const CHUNK_BYTES = 1 << 20;
/** Far less than the flood: what this process may hold of it, and what its garbage may come to. */
const GROWTH_BYTES_MAX = UNDER_SANITIZERS ? Infinity : 24 << 20;

/** Sends the flood from one small buffer until it is told to stop; how many bytes the kernel took. */
async function flood(conn: Socket, progress: { bytes: number }, signal: AbortSignal): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES, "f");
  for (let sent = 0; sent < FLOOD_BYTES; sent += chunk.length) {
    const now = { bytes: 0 };
    try {
      await conn.sendall(chunk, 0, { signal, progress: now });
    } finally {
      progress.bytes += now.bytes;
    }
  }
}

test("sendall() of 64 MiB waits for a peer that reads a byte every 10 ms, in bounded memory", {
  skip,
}, async () => {
  await using peer = python(`
server = create_server(("127.0.0.1", 0))
server.setsockopt(SOL_SOCKET, SO_RCVBUF, 65536)
say("port", server.getsockname()[1])
conn, address = server.accept()
for count in range(1, ${PACED_BYTES + 1}):
    assert conn.recv(1) == b"f"
    time.sleep(0.01)
say("paced")
time.sleep(60)`);
  using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
  const before = process.memoryUsage().rss;
  const [progress, stop] = [{ bytes: 0 }, new AbortController()];
  const flooding = flood(conn, progress, stop.signal);
  const outcome = flooding.then(
    () => "finished",
    (reason: unknown) => reason,
  );
  await peer.line(/^paced$/m);
  const grown = process.memoryUsage().rss - before;
  const reason = new Error("enough has been shown");
  stop.abort(reason);
  assert.equal(await outcome, reason);
  assert.ok(progress.bytes >= PACED_BYTES, `${progress.bytes} bytes went`);
  assert.ok(progress.bytes < FLOOD_BYTES / 4, `${progress.bytes} bytes went, which is no waiting`);
  assert.ok(grown < GROWTH_BYTES_MAX, `grown by ${grown} bytes`);
});

test("a sendall() that waits for a slow peer leaves other conversations their pace", { skip }, async () => {
  await using slow = python(`
conn, address = listen_at("127.0.0.1").accept()
say("accepted")
time.sleep(60)`);
  await using quick = python(`
conn, address = listen_at("127.0.0.1").accept()
while data := conn.recv(1024): conn.sendall(data)`);
  using stuck = await create_connection(["127.0.0.1", await portOf(slow)]);
  using live = await create_connection(["127.0.0.1", await portOf(quick)]);
  const reason = new Error("enough has been shown");
  const stop = new AbortController();
  const outcome = flood(stuck, { bytes: 0 }, stop.signal).catch((error: unknown) => error);
  for (let number = 0; number < 200; number++) {
    await live.sendall("ping");
    assert.equal((await receiveExactly(live, 4)).toString(), "ping");
  }
  stop.abort(reason);
  assert.equal(await outcome, reason);
});
