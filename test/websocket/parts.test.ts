// Messages that are sent in parts as they are made: what leaves and when, who waits behind them, and what becomes of one
// that is not made to its end.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { WebSocketConnection } from "berkeley/websocket";
import { LocalProtocolError, RemoteProtocolError } from "berkeley/wire";
import { BINARY, CONTINUATION, PING, PONG, TEXT, frame } from "./frames.ts";
import { memorySockets, serving, turns, untilClosed, waits } from "./serving.ts";

type Part = string | Uint8Array;

/** Parts that a test makes one by one. */
class Made implements AsyncIterable<Part> {
  readonly #ready: Part[] = [];
  #wake: (() => void) | undefined;
  #over = false;
  asked = 0;
  returned = false;

  give(part: Part): void {
    this.#ready.push(part);
    this.#wake?.();
  }

  end(): void {
    this.#over = true;
    this.#wake?.();
  }

  [Symbol.asyncIterator](): AsyncIterator<Part, undefined> {
    return {
      next: async () => {
        this.asked++;
        while (this.#ready.length === 0 && !this.#over)
          await new Promise<void>((resolve) => {
            this.#wake = resolve;
          });
        const value = this.#ready.shift();
        return value === undefined ? { value, done: true } : { value, done: false };
      },
      return: async () => {
        this.returned = true;
        return { value: undefined, done: true };
      },
    };
  }
}

/** The server's side of one connection, held open. */
async function held(): Promise<
  AsyncDisposable & {
    readonly server: WebSocketConnection;
    readonly at: Awaited<ReturnType<typeof serving>>;
    readonly raw: Awaited<ReturnType<Awaited<ReturnType<typeof serving>>["raw"]>>;
  }
> {
  const servers: WebSocketConnection[] = [];
  const at = await serving((socket) => {
    servers.push(socket);
    return untilClosed(socket);
  });
  const raw = await at.raw();
  while (servers.length === 0) await turns(1);
  const [server] = servers as [WebSocketConnection];
  return {
    server,
    at,
    raw,
    async [Symbol.asyncDispose]() {
      await raw[Symbol.asyncDispose]();
      await at[Symbol.asyncDispose]();
    },
  };
}

const plain = (opcode: number, payload: string, fin: boolean): Buffer =>
  frame({ opcode, payload, fin, key: false });

test("send() sends the parts of a message as they are made, answers pings in between, and other messages behind it", async () => {
  await using pair = await held();
  const { server, raw } = pair;
  const made = new Made();
  const sent = server.send(made);
  const behind = server.send("behind");
  made.give("first");
  const first = plain(TEXT, "first", false);
  assert.deepEqual(await raw.bytes(first.length), first);
  await raw.send(frame({ opcode: PING, payload: "?" }));
  const pong = plain(PONG, "?", true);
  assert.deepEqual(await raw.bytes(pong.length), pong);
  const measured = server.ping();
  const ping = await raw.bytes(6);
  assert.equal(ping[0], 0x80 | PING);
  await raw.send(frame({ opcode: PONG, payload: ping.subarray(2) }));
  assert.ok((await measured) >= 0);
  assert.ok(await waits(behind));
  made.give("");
  made.give("second");
  made.end();
  await Promise.all([sent, behind]);
  const rest = Buffer.concat([
    plain(CONTINUATION, "second", false),
    plain(CONTINUATION, "", true),
    plain(TEXT, "behind", true),
  ]);
  assert.deepEqual(await raw.bytes(rest.length), rest);
});

for (const [what, parts, expected] of [
  ["a list", ["a", "b", "c"], "abc"],
  ["halves of a character", ["a\ud83d", "\ude00", "b"], "a😀b"],
  ["half a character", ["a\ud83d"], "a\ufffd"],
  ["half a character and more", ["\ud83d", "x"], "\ufffdx"],
  ["empty text", ["", ""], ""],
  ["nothing", [], Buffer.alloc(0)],
  ["bytes", [Buffer.from("ab"), new Uint8Array([99])], Buffer.from("abc")],
  ["large parts", Array.from({ length: 3 }, () => Buffer.alloc(100_000, "x")), Buffer.alloc(300_000, "x")],
] as const)
  test(`send() makes one message of ${what}, from both sides`, async () => {
    const at = await serving(async (socket) => {
      for await (const message of socket) await socket.send([message]);
    });
    await using _ = at;
    await using socket = await at.connect();
    await socket.send(parts);
    assert.deepEqual((await socket.receive()).value, expected);
    await socket.send(new Blob([expected]).stream());
    assert.equal(String((await socket.receive()).value), String(expected));
  });

test("send() asks for the next part when the peer has taken the last", async () => {
  let server: WebSocketConnection | undefined;
  await using at = await memorySockets((socket) => {
    server = socket;
    return untilClosed(socket);
  });
  await turns();
  const made = new Made();
  for (let count = 0; count < 50; count++) made.give(Buffer.alloc(1000));
  made.end();
  const sent = (server as WebSocketConnection).send(made);
  await turns();
  // The client holds no message, so it receives; what it does not, lies in the pipe and on the way.
  assert.ok(made.asked > 1);
  const { value } = await at.client.receive();
  await sent;
  assert.equal(value?.length, 50_000);
});

test("send() rejects with what the parts throw, and closes with 1011 a connection on which a part was sent", async () => {
  await using pair = await held();
  const { server, raw } = pair;
  const why = new Error("no more");
  async function* broken(first?: string): AsyncGenerator<string> {
    if (first !== undefined) yield first;
    throw why;
  }
  await assert.rejects(server.send(broken()), why);
  assert.ok(server.isOpen);
  await assert.rejects(server.send([1] as never), { code: "ERR_INVALID_ARG_TYPE" });
  await assert.rejects(server.send({} as never), { code: "ERR_INVALID_ARG_TYPE" });
  await assert.rejects(server.send(new ArrayBuffer(1) as never), { code: "ERR_INVALID_ARG_TYPE" });
  assert.ok(server.isOpen);
  await assert.rejects(server.send(broken("begun")), why);
  assert.ok(!server.isOpen);
  const all = Buffer.concat([plain(TEXT, "begun", false), Buffer.from("880203f3", "hex")]);
  assert.deepEqual(await raw.bytes(all.length), all);
});

test("send() closes with 1011 where parts are text and bytes, and lets go of their maker", async () => {
  await using pair = await held();
  const made = new Made();
  made.give(Buffer.from("bytes"));
  made.give("text");
  await assert.rejects(pair.server.send(made), { code: "ERR_INVALID_ARG_TYPE" });
  assert.ok(made.returned);
  const begun = plain(BINARY, "bytes", false);
  assert.deepEqual(
    await pair.raw.bytes(begun.length + 4),
    Buffer.concat([begun, Buffer.from("880203f3", "hex")]),
  );
});

test("send() of parts that do not come ends with the connection, and lets go of their maker", async () => {
  await using pair = await held();
  const made = new Made();
  made.give("begun");
  const sent = pair.server.send(made);
  sent.catch(() => {});
  assert.ok(await waits(sent));
  pair.raw.stream.close();
  await assert.rejects(sent, (error) => error instanceof RemoteProtocolError);
  assert.ok(made.returned);
  await assert.rejects(pair.server.send(new Made()), (error) => error instanceof RemoteProtocolError);
});

test("close() sends the parts that were begun before, for closeTimeoutMs at most", async () => {
  const servers: WebSocketConnection[] = [];
  await using at = await serving(
    (socket) => {
      servers.push(socket);
      return untilClosed(socket);
    },
    { closeTimeoutMs: 100 },
  );
  await using one = await at.connect();
  while (servers.length < 1) await turns(1);
  const made = new Made();
  made.give("all ");
  const sent = servers[0]?.send(made);
  const closed = servers[0]?.close(3000);
  made.give("of it");
  made.end();
  await sent;
  assert.equal((await one.receive()).value, "all of it");
  await closed;
  assert.equal((await one.closed).code, 3000);
  await using two = await at.connect();
  while (servers.length < 2) await turns(1);
  const stuck = new Made();
  stuck.give("begun");
  const never = servers[1]?.send(stuck) as Promise<void>;
  const refused = assert.rejects(never, (error) => error instanceof LocalProtocolError);
  await servers[1]?.close();
  await refused;
  assert.equal((await two.closed).code, 1006);
});
