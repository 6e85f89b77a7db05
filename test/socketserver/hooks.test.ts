// The hooks of a server: which are called, in which order, and what they change. CPython says what is right.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MSG_PEEK, create_connection } from "berkeley";
import type { Address, Socket } from "berkeley";
import { BaseRequestHandler, TCPServer, ThreadingTCPServer } from "berkeley/socketserver";
import { askPython, python3 } from "../support/ask-python.ts";
import { until } from "../server/support.ts";
import { receiveToEnd } from "../support/berkeley-tcp.ts";

/** Words that clients say: one is refused, one makes the handler throw, one its setup, one its finish. */
const WORDS = ["hello", "refused", "throw", "throw in setup", "throw in finish", "again"];

const HOOKS = `
import io, socketserver, contextlib
trace = []
def traced(name):
    def method(self, *args):
        trace.append(name)
        return getattr(super(Server, self), name)(*args)
    return method

class Handler(socketserver.BaseRequestHandler):
    def setup(self):
        self.word = self.request.recv(100).decode()
        trace.append("setup")
        if self.word == "throw in setup": raise RuntimeError()
    def handle(self):
        trace.append("handle")
        if self.word == "throw": raise RuntimeError()
        self.request.sendall(self.word.upper().encode())
    def finish(self):
        trace.append("finish")
        if self.word == "throw in finish": raise RuntimeError()

class Server(socketserver.TCPServer):
    def verify_request(self, request, client_address):
        trace.append("verify_request")
        return request.recv(100, socket.MSG_PEEK) != b"refused"
    def handle_timeout(self): trace.append("handle_timeout")
    def handle_error(self, request, client_address): trace.append("handle_error")

for name in "server_bind server_activate get_request process_request finish_request shutdown_request close_request server_close".split():
    setattr(Server, name, traced(name))

answers = []
with Server(("127.0.0.1", 0), Handler) as server:
    for word in data:
        with socket.create_connection(server.server_address) as client:
            client.sendall(word.encode())
            trace.append("# " + word)
            server.handle_request()
            answers.append(client.recv(100).decode())
    server.timeout = 0.01
    trace.append("# nobody")
    server.handle_request()
print(json.dumps([trace, answers]))
`;

class Handler extends BaseRequestHandler<Socket, Address, Traced> {
  word = "";
  override async setup(): Promise<void> {
    this.word = (await this.request.recv(100)).toString();
    this.#happens("setup");
  }
  override async handle(): Promise<void> {
    this.#happens("handle");
    await this.request.sendall(this.word.toUpperCase());
  }
  override finish(): void {
    this.#happens("finish");
  }
  #happens(what: string): void {
    this.server.trace.push(what);
    if (this.word === (what === "handle" ? "throw" : `throw in ${what}`)) throw new Error(this.word);
  }
}

let earlier: string[] = [];

class Traced extends TCPServer {
  readonly trace: string[] = earlier;
  override server_bind(): void {
    earlier = ["server_bind"];
    super.server_bind();
  }
  override server_activate(): void {
    earlier.push("server_activate");
    super.server_activate();
  }
  override get_request(): Promise<[Socket, Address]> {
    this.trace.push("get_request");
    return super.get_request();
  }
  override async verify_request(request: Socket): Promise<boolean> {
    this.trace.push("verify_request");
    return (await request.recv(100, MSG_PEEK)).toString() !== "refused";
  }
  override process_request(request: Socket, address: Address): Promise<void> {
    this.trace.push("process_request");
    return super.process_request(request, address);
  }
  override finish_request(request: Socket, address: Address): Promise<void> {
    this.trace.push("finish_request");
    return super.finish_request(request, address);
  }
  override shutdown_request(request: Socket): Promise<void> {
    this.trace.push("shutdown_request");
    return super.shutdown_request(request);
  }
  override close_request(request: Socket): void {
    this.trace.push("close_request");
    super.close_request(request);
  }
  override handle_error(): void {
    this.trace.push("handle_error");
  }
  override handle_timeout(): void {
    this.trace.push("handle_timeout");
  }
  override server_close(): Promise<void> {
    this.trace.push("server_close");
    return super.server_close();
  }
}

test("a server calls its hooks in CPython's order, whatever becomes of the requests", {
  skip: python3.skip,
}, async () => {
  const answers: string[] = [];
  const server = new Traced(["127.0.0.1", 0], Handler);
  for (const word of WORDS) {
    using client = await create_connection(server.server_address as [string, number]);
    await client.sendall(word);
    server.trace.push(`# ${word}`);
    await server.handle_request();
    answers.push((await client.recv(100)).toString());
  }
  server.timeout = 0.01;
  server.trace.push("# nobody");
  await server.handle_request();
  await server.server_close();
  assert.deepEqual([server.trace, answers], askPython(HOOKS, WORDS));
});

test("service_actions() is called after each request, and each poll_interval without one", async () => {
  let calls = 0;
  class Counting extends TCPServer {
    override service_actions(): void {
      calls++;
    }
  }
  class Silent extends BaseRequestHandler {}
  await using server = new Counting(["127.0.0.1", 0], Silent);
  const serving = server.serve_forever(0.01);
  await until(() => calls >= 3);
  await server.shutdown();
  await serving;
  calls = 0;
  const again = server.serve_forever(3600);
  using client = await create_connection(server.server_address as [string, number]);
  await receiveToEnd(client);
  await server.shutdown();
  await again;
  assert.equal(calls, 1);
});

test("shutdown() waits for the request that is handled, and server_close() for those that are handled at once", async () => {
  let release: () => void = () => undefined;
  let entered: () => void = () => undefined;
  const handled: string[] = [];
  class Waiting extends BaseRequestHandler {
    override async handle(): Promise<void> {
      entered();
      await new Promise<void>((resolve) => (release = resolve));
      handled.push("handled");
    }
  }
  for (const end of ["shutdown", "server_close"] as const) {
    const Server: typeof TCPServer = end === "shutdown" ? TCPServer : ThreadingTCPServer;
    const server = new Server(["127.0.0.1", 0], Waiting);
    const inside = new Promise<void>((resolve) => (entered = resolve));
    const serving = server.serve_forever();
    using _ = await create_connection(server.server_address as [string, number]);
    await inside;
    const ending = server[end]();
    setImmediate(release);
    await ending;
    assert.deepEqual(handled.splice(0), ["handled"]);
    await serving;
    await server.server_close();
  }
});

test("server_close() does not wait with daemon_threads, or without block_on_close", async () => {
  for (const choice of [{ daemon_threads: true }, { block_on_close: false }]) {
    let release: () => void = () => undefined;
    const done: Promise<void>[] = [];
    class Waiting extends BaseRequestHandler {
      override handle(): Promise<void> {
        done.push(new Promise((resolve) => (release = resolve)));
        return done[0] as Promise<void>;
      }
    }
    const server = new ThreadingTCPServer(["127.0.0.1", 0], Waiting);
    Object.assign(server, choice);
    const serving = server.serve_forever();
    using client = await create_connection(server.server_address as [string, number]);
    await until(() => done.length > 0);
    await server.server_close();
    await serving;
    release();
    assert.equal((await client.recv(1)).length, 0);
  }
});

test("ThreadingTCPServer has no more requests at once than max_children", async () => {
  const releases: (() => void)[] = [];
  class Waiting extends BaseRequestHandler {
    override handle(): Promise<void> {
      return new Promise((resolve) => releases.push(resolve));
    }
  }
  class Three extends ThreadingTCPServer {
    static override max_children = 3;
  }
  const server = new Three(["127.0.0.1", 0], Waiting);
  void server.serve_forever();
  const clients: Socket[] = [];
  for (let number = 0; number < 5; number++)
    clients.push(await create_connection(server.server_address as [string, number]));
  await until(() => releases.length === 3);
  for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(releases.length, 3);
  for (let number = 0; number < 5; number++) {
    await until(() => releases.length > number);
    releases[number]?.();
  }
  await Promise.all(clients.map((client) => receiveToEnd(client)));
  await server.server_close();
  for (const client of clients) client.close();
});
