// listen, accept, and the iteration over connections: pulled, one at a time, through errors that are not the loop's.

import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import {
  AF_INET,
  AF_INET6,
  ECONNABORTED,
  EINVAL,
  ENFILE,
  ENOBUFS,
  ENOMEM,
  EPROTO,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  create_connection,
  create_server,
  socket,
} from "berkeley";
import type { Socket } from "berkeley";
import { native } from "#dist/native.js";
import { codeOf, openSockets, rejection, reset, stillWaits, thrown } from "../support/pair.ts";
import { program } from "../support/program.ts";

const calls = native as { accept: typeof native.accept };
const { accept } = calls;
afterEach(() => {
  calls.accept = accept;
});

/** The kernel's errors that a test cannot bring about: the next accepts return these. */
function acceptFails(...errors: number[]): void {
  calls.accept = (...args) => {
    const error = errors.shift();
    return error === undefined ? accept(...args) : -error;
  };
}

async function connectTo(server: Socket): Promise<Socket> {
  const client = socket(server.family);
  await client.connect(server.getsockname());
  return client;
}

for (const [family, host] of [
  [AF_INET, "127.0.0.1"],
  [AF_INET6, "::1"],
] as const)
  test(`accept() resolves with the connection and the peer's address (${host})`, async () => {
    using server = create_server([host, 0], { family });
    using client = await connectTo(server);
    const [conn, address] = await server.accept();
    assert.deepEqual(address, client.getsockname());
    assert.deepEqual([conn.family, conn.type, conn.proto], [server.family, server.type, server.proto]);
    await client.sendall("hello");
    assert.equal((await conn.recv(10)).toString(), "hello");
    conn.close();
  });

test("accept() waits for a connection, and takes those that waited before it was called", async () => {
  using server = create_server(["127.0.0.1", 0]);
  const waiting = server.accept();
  await stillWaits(waiting);
  const clients = [await connectTo(server), await connectTo(server), await connectTo(server)];
  const conns = [await waiting, await server.accept(), await server.accept()];
  assert.deepEqual(
    conns.map(([, address]) => address),
    clients.map((client) => client.getsockname()),
  );
  for (const end of [...clients, ...conns.map(([conn]) => conn)]) end.close();
});

test("accept() gives a connection that was reset while it waited, and recv() tells of the reset", async () => {
  using server = create_server(["127.0.0.1", 0]);
  reset(await connectTo(server));
  const [conn] = await server.accept();
  assert.equal(await codeOf(conn.recv(1)), "ECONNRESET");
  conn.close();
});

test("accept() rejects with EINVAL when the socket does not listen", async () => {
  using end = socket();
  const error = await rejection(end.accept());
  assert.deepEqual([error.code, error.errno, error.syscall], ["EINVAL", EINVAL, "accept"]);
});

test("accept() passes the error of one connection on, and goes on", async () => {
  using server = create_server(["127.0.0.1", 0]);
  using client = await connectTo(server);
  acceptFails(ECONNABORTED);
  assert.equal(await codeOf(server.accept()), "ECONNABORTED");
  const [conn, address] = await server.accept();
  assert.deepEqual(address, client.getsockname());
  conn.close();
});

test("listen() makes a listener, of as many as the system allows or as was said", async () => {
  using end = socket();
  assert.equal(end.getsockopt(SOL_SOCKET, SO_ACCEPTCONN), 0);
  end.bind(["127.0.0.1", 0]);
  end.listen();
  assert.equal(end.getsockopt(SOL_SOCKET, SO_ACCEPTCONN), 1);
  end.listen(1);
  end.listen(-5);
  end.listen(2 ** 31 - 1);
  for (const value of ["1", null, {}])
    assert.equal(thrown(() => end.listen(value as never)).code, "ERR_INVALID_ARG_TYPE");
  for (const value of [0.5, Number.NaN, 2 ** 31])
    assert.equal(thrown(() => end.listen(value)).code, "ERR_OUT_OF_RANGE");
});

test("listen() on a connected socket throws", async () => {
  using server = create_server(["127.0.0.1", 0]);
  using client = await connectTo(server);
  assert.equal(thrown(() => client.listen()).code, "EINVAL");
});

test("for await over a listener pulls: nothing is accepted that was not asked for", async () => {
  using server = create_server(["127.0.0.1", 0]);
  let accepted = 0;
  calls.accept = (...args) => {
    const result = accept(...args);
    if (result >= 0) accepted++;
    return result;
  };
  const clients = [await connectTo(server), await connectTo(server), await connectTo(server)];
  const connections = server[Symbol.asyncIterator]();
  assert.equal(accepted, 0);
  const conns = [];
  for (let asked = 1; asked <= 3; asked++) {
    const { value } = await connections.next();
    conns.push((value as [Socket, unknown])[0]);
    assert.equal(accepted, asked);
  }
  for (const end of [...clients, ...conns]) end.close();
});

test("for await over a listener ends when it is closed, inside and while it waits", async () => {
  for (const when of ["inside", "outside"]) {
    const server = create_server(["127.0.0.1", 0]);
    const seen: unknown[] = [];
    const loop = (async () => {
      for await (const [conn, address] of server) {
        seen.push(address);
        conn.close();
        if (when === "inside") server.close();
      }
    })();
    using client = await connectTo(server);
    if (when === "outside") {
      assert.equal((await client.recv(1)).length, 0);
      server.close();
    }
    await loop;
    assert.equal(seen.length, 1);
  }
});

test("for await over a listener that is left by break leaves the listener open", async () => {
  using server = create_server(["127.0.0.1", 0]);
  for (let round = 0; round < 2; round++) {
    using client = await connectTo(server);
    for await (const [conn, address] of server) {
      assert.deepEqual(address, client.getsockname());
      conn.close();
      break;
    }
  }
});

test("for await over a closed listener ends at once", async () => {
  const server = create_server(["127.0.0.1", 0]);
  server.close();
  for await (const [conn] of server) assert.fail(String(conn));
});

test("for await over a listener goes on after errors that are one connection's own", async () => {
  using server = create_server(["127.0.0.1", 0]);
  using client = await connectTo(server);
  acceptFails(ECONNABORTED, EPROTO, ECONNABORTED);
  for await (const [conn, address] of server) {
    assert.deepEqual(address, client.getsockname());
    conn.close();
    break;
  }
});

for (const [code, errno] of Object.entries({ ENFILE, ENOBUFS, ENOMEM }))
  test(`for await over a listener waits longer each time while accept fails with ${code}, warns once, and goes on`, async () => {
    using server = create_server(["127.0.0.1", 0]);
    using client = await connectTo(server);
    const warnings: string[] = [];
    const note = (warning: Error & { code?: string }): unknown =>
      warnings.push(warning.code ?? warning.message);
    process.on("warning", note);
    let attempts = 0;
    calls.accept = (...args) => (++attempts <= 4 ? -errno : accept(...args));
    const since = performance.now();
    for await (const [conn, address] of server) {
      assert.deepEqual(address, client.getsockname());
      conn.close();
      break;
    }
    process.off("warning", note);
    assert.equal(attempts, 5, "each wait is followed by one attempt");
    // 5, 10, 20 and 40 ms, each by a timer that counts whole ones.
    assert.ok(performance.now() - since >= 5 + 10 + 20 + 40 - 8);
    assert.deepEqual(warnings, [`BERKELEY_${code}`]);
  });

test("for await over a socket that does not listen throws", async () => {
  using end = socket();
  await assert.rejects(end[Symbol.asyncIterator]().next(), { code: "EINVAL" });
});

test("two loops over one listener share its connections", async () => {
  const server = create_server(["127.0.0.1", 0]);
  const ports: number[] = [];
  const loop = async (): Promise<void> => {
    for await (const [conn, address] of server) {
      ports.push(address[1]);
      conn.close();
    }
  };
  const loops = [loop(), loop()];
  const mine: number[] = [];
  for (let at = 0; at < 10; at++) {
    using client = await connectTo(server);
    mine.push(client.getsockname()[1]);
    await client.recv(1);
  }
  server.close();
  await Promise.all(loops);
  const ascending = (one: number, other: number): number => one - other;
  assert.deepEqual(ports.toSorted(ascending), mine.toSorted(ascending));
});

test("for await over a listener backs off while descriptors are short, warns once, and loses nobody (in a child process)", async () => {
  await using child = program(import.meta.url, "shortage-child", { descriptors: 256 });
  const [, port] = await child.line(/^port (\d+)$/m);
  const clients = await Promise.all(
    Array.from({ length: 100 }, () => create_connection(["127.0.0.1", Number(port)])),
  );
  await child.line(/^warning BERKELEY_EMFILE$/m);
  await Promise.all(clients.map((client, at) => client.sendall(`${at}\n`)));
  const echoed = clients.map(async (client) => {
    const text = (await client.recv(10)).toString();
    client.close(); // leaves room for the next
    return text;
  });
  assert.deepEqual(
    await Promise.all(echoed),
    clients.map((_, at) => `${at}\n`),
  );
  const { stdout, stderr } = await (child.stdin.end(), child.succeeded());
  const lines = stdout.toString().trim().split("\n");
  assert.deepEqual(lines.slice(1), ["warning BERKELEY_EMFILE", "served 100, left 0"]);
  assert.match(stderr.toString(), /^\(node:\d+\) \[BERKELEY_EMFILE\] Warning: accept EMFILE: /);
});

test("an unreferenced listener that is short of descriptors does not hold its process (in a child process)", async () => {
  await using child = program(import.meta.url, "shortage-child", { descriptors: 256, args: ["unref"] });
  const { stdout } = await child.succeeded();
  assert.equal(stdout.toString(), "warning BERKELEY_EMFILE\n");
});

test("connections that are accepted and closed leave no descriptor", async () => {
  const before = openSockets();
  using server = create_server(["127.0.0.1", 0]);
  for (let at = 0; at < 50; at++) {
    using client = await connectTo(server);
    using conn = (await server.accept())[0];
    void [client, conn];
  }
  server.close();
  assert.deepEqual(openSockets(), before);
});
