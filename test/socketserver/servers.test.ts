// The servers and handlers of socketserver, with clients of ours and of CPython's.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  AF_UNIX,
  IPPROTO_TCP,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  SO_REUSEPORT,
  TCP_NODELAY,
  create_connection,
  socket,
} from "berkeley";
import type { AnyAddress, Socket, UnixAddress } from "berkeley";
import {
  BaseRequestHandler,
  BytesIO,
  DatagramRequestHandler,
  StreamRequestHandler,
  TCPServer,
  ThreadingUDPServer,
  ThreadingUnixDatagramServer,
  ThreadingUnixStreamServer,
  UDPServer,
  UnixDatagramServer,
  UnixStreamServer,
} from "berkeley/socketserver";
import { receiveToEnd } from "../support/berkeley-tcp.ts";
import { openSockets, thrown } from "../support/pair.ts";
import { PYTHON, python } from "../support/python.ts";
import { warning } from "../server/support.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-socketserver-"));
after(() => rmSync(folder, { recursive: true }));

class Silent extends BaseRequestHandler {}

class Lines extends StreamRequestHandler<AnyAddress> {
  override async handle(): Promise<void> {
    for await (const line of this.rfile) await this.wfile.write(`${line.toString().trimEnd()}!\n`);
  }
}

class Count extends DatagramRequestHandler<AnyAddress> {
  override handle(): void {
    const lines = this.rfile.readlines().length;
    if (lines > 0) this.wfile.write(`${lines} lines, `);
    this.wfile.write(`${this.packet.length} bytes`);
  }
}

test("TCPServer takes its options from static members, and sets them on its socket", async () => {
  class Mine extends TCPServer {
    static override allow_reuse_address = true;
    static override allow_reuse_port = true;
    static override timeout = 5;
    static override request_queue_size = 7;
  }
  await using mine = new Mine(["127.0.0.1", 0], Silent);
  await using same = new Mine(mine.server_address, Silent);
  for (const name of [SO_REUSEADDR, SO_REUSEPORT]) assert.equal(mine.socket.getsockopt(SOL_SOCKET, name), 1);
  assert.deepEqual([mine.timeout, mine.request_queue_size], [5, 7]);
  assert.deepEqual(same.server_address, mine.server_address);
  await using plain = new TCPServer(["127.0.0.1", 0], Silent);
  assert.equal(plain.socket.getsockopt(SOL_SOCKET, SO_REUSEADDR), 0);
  try {
    TCPServer.allow_reuse_address = true; // the idiom of many programs
    await using idiomatic = new TCPServer(["127.0.0.1", 0], Silent);
    assert.equal(idiomatic.socket.getsockopt(SOL_SOCKET, SO_REUSEADDR), 1);
  } finally {
    TCPServer.allow_reuse_address = false;
  }
});

test("a server that cannot be bound leaves nothing open", async () => {
  await using first = new TCPServer(["127.0.0.1", 0], Silent);
  const before = openSockets();
  assert.equal(thrown(() => new TCPServer(first.server_address, Silent)).code, "EADDRINUSE");
  assert.deepEqual(openSockets(), before);
});

test("a server without bind_and_activate is bound and activated by hand", async () => {
  await using server = new TCPServer(["127.0.0.1", 0], Silent, false);
  assert.deepEqual(server.server_address, ["127.0.0.1", 0]);
  server.server_bind();
  server.server_activate();
  const serving = server.handle_request();
  using client = await create_connection(server.server_address as [string, number]);
  assert.equal((await receiveToEnd(client)).length, 0);
  await serving;
});

test("a server refuses what is no handler class, and a second serve_forever()", async () => {
  assert.equal(thrown(() => new TCPServer(["127.0.0.1", 0], {} as never)).code, "ERR_INVALID_ARG_TYPE");
  await using server = new TCPServer(["127.0.0.1", 0], Silent);
  void server.serve_forever();
  await assert.rejects(server.serve_forever(), { code: "ERR_INVALID_STATE" });
});

test("an error of a handler is a process warning, and the server goes on", async () => {
  class Failing extends BaseRequestHandler {
    override handle(): void {
      throw new Error("a mistake");
    }
  }
  await using server = new TCPServer(["127.0.0.1", 0], Failing);
  void server.serve_forever();
  for (let time = 0; time < 2; time++) {
    const warned = warning("BERKELEY_HANDLER");
    using client = await create_connection(server.server_address as [string, number]);
    assert.equal((await receiveToEnd(client)).length, 0);
    assert.match(
      (await warned).message,
      /^the handler of a request from 127\.0\.0\.1:\d+ failed: a mistake$/,
    );
  }
});

test("server_close() ends serve_forever() while nobody comes", async () => {
  const server = new TCPServer(["127.0.0.1", 0], Silent);
  const serving = server.serve_forever();
  await server.server_close();
  await serving;
  await server.server_close();
  await server.shutdown();
});

for (const [name, sizes] of Object.entries({
  "by default": {},
  "with wbufsize -1": { wbufsize: -1 },
  "with buffers of 16 bytes": { rbufsize: 16, wbufsize: 16 },
}))
  test(`StreamRequestHandler reads and writes lines ${name}`, async () => {
    let connection: Socket | undefined;
    class Handler extends Lines {
      static override timeout = 30;
      static override disable_nagle_algorithm = true;
      override async setup(): Promise<void> {
        await super.setup();
        connection = this.connection;
        assert.equal(connection.gettimeout(), 30);
        assert.equal(connection.getsockopt(IPPROTO_TCP, TCP_NODELAY), 1);
      }
    }
    Object.assign(Handler, sizes);
    await using server = new TCPServer(["127.0.0.1", 0], Handler);
    void server.serve_forever();
    using client = await create_connection(server.server_address as [string, number]);
    const lines = Array.from({ length: 50 }, (_, at) => `line ${at}`);
    await client.sendall(lines.map((line) => `${line}\n`).join(""));
    client.shutdown(1);
    assert.equal((await receiveToEnd(client)).toString(), lines.map((line) => `${line}!\n`).join(""));
    await server.shutdown();
    assert.equal(connection?.closed, true);
  });

test("StreamRequestHandler's finish() passes over a peer that has gone", async () => {
  let finished = false;
  class Handler extends StreamRequestHandler {
    static override wbufsize = -1;
    override async handle(): Promise<void> {
      await this.rfile.read();
      await this.wfile.write("nobody reads this");
      this.connection.close();
    }
    override async finish(): Promise<void> {
      await super.finish();
      finished = true;
    }
  }
  await using server = new TCPServer(["127.0.0.1", 0], Handler);
  (await create_connection(server.server_address as [string, number])).close();
  await server.handle_request();
  assert.equal(finished, true);
});

for (const Server of [UDPServer, ThreadingUDPServer])
  test(`${Server.name} gives each datagram to a DatagramRequestHandler, also an empty one`, async () => {
    await using server = new Server(["127.0.0.1", 0], Count);
    void server.serve_forever();
    using client = socket(undefined, SOCK_DGRAM);
    for (const [text, answer] of [
      ["one\ntwo\n", "2 lines, 8 bytes"],
      ["", "0 bytes"],
      ["x".repeat(9000), "1 lines, 8192 bytes"], // max_packet_size
    ] as const) {
      await client.sendto(text, server.server_address);
      assert.equal((await client.recv(100)).toString(), answer);
    }
  });

for (const Server of [UnixStreamServer, ThreadingUnixStreamServer])
  for (const where of ["path", "abstract name"])
    test(`${Server.name} serves CPython clients at ${where === "path" ? "a" : "an"} ${where}`, {
      skip: PYTHON.skip,
    }, async () => {
      const path = `${folder}/${Server.name}`;
      await using server = new Server(where === "path" ? path : Buffer.from(`\0${path}`), Lines);
      void server.serve_forever();
      const address = Buffer.from(server.server_address as UnixAddress).toString("hex");
      await using client = python(
        `
for time in range(2):
    s = socket(AF_UNIX)
    s.connect(bytes.fromhex(sys.argv[1]))
    s.sendall(b"one\\ntwo\\n")
    s.shutdown(SHUT_WR)
    say(read_to_end(s))`,
        [address],
      );
      const { stdout } = await client.succeeded();
      assert.equal(stdout.toString(), "b'one!\\ntwo!\\n'\n".repeat(2));
    });

for (const Server of [UnixDatagramServer, ThreadingUnixDatagramServer])
  test(`${Server.name} answers datagrams of clients that have a name`, async () => {
    await using server = new Server(join(folder, Server.name), Count);
    void server.serve_forever();
    using client = socket(AF_UNIX, SOCK_DGRAM);
    client.bind("");
    await client.sendto("hello", join(folder, Server.name));
    assert.equal((await client.recv(100)).toString(), "1 lines, 5 bytes");
  });

test("BytesIO reads lines and counts, and gives all that was written", () => {
  const file = new BytesIO("one\ntwo\nthree");
  assert.deepEqual(
    [file.readline(), file.read(2), file.readline(), file.readline(3), file.read(), file.read()].map(String),
    ["one\n", "tw", "o\n", "thr", "ee", ""],
  );
  assert.equal(file.write("\nfour\n"), 6);
  assert.deepEqual(file.readlines().map(String), ["\n", "four\n"]);
  assert.equal(file.getvalue().toString(), "one\ntwo\nthree\nfour\n");
  assert.equal(new BytesIO().getvalue().length, 0);
});
