// As faults-served.test.ts, with HTTP and WebSocket on top, the servers and the clients of both: contents and messages whose
// every byte is known, on networks that fail at random, each from its seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketError } from "berkeley";
import { HttpClient, RequestTimeoutError, serve } from "berkeley/http";
import type { HttpHandler } from "berkeley/http";
import { simulate } from "berkeley/testing";
import type { SimulatedNetwork } from "berkeley/testing";
import { connect, serve as serveWebSockets } from "berkeley/websocket";
import type { WebSocketHandler } from "berkeley/websocket";
import { pattern } from "../support/pair.ts";
import { live } from "./lives.ts";
import type { Lived } from "./lives.ts";

/** FUZZ_ROUNDS asks for more; CI runs a thousand. */
const SEEDS = Number(process.env["FUZZ_ROUNDS"] ?? 10);
const CLIENTS = 4;
const BYTES_MAX = 40_000;

/** What a client asks. The answer has each byte plus one, and so is the next client's question. */
const questions = Array.from({ length: CLIENTS + 1 }, (_, key) => pattern(BYTES_MAX, key));
const plusOne = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => (byte + 1) & 255));

/** What a connection may fail with that was done harm. */
const FAULTS: ReadonlySet<unknown> = new Set([
  "ERR_HTTP_UNEXPECTED_END",
  "ERR_HTTP_TIMEOUT",
  "ERR_WEBSOCKET_UNEXPECTED_END",
  "ERR_WEBSOCKET_PEER_SILENT",
  "ERR_WEBSOCKET_CLOSED",
]);

function assertFault(error: unknown): void {
  if (error instanceof SocketError || error instanceof RequestTimeoutError) return;
  if (!FAULTS.has((error as { readonly code?: unknown }).code)) throw error;
}

/** Pieces of some bytes, made as they are wanted. */
async function* pieces(bytes: Buffer, network: SimulatedNetwork): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const size = 1 + network.random.below(9000);
    yield bytes.subarray(at, at + size);
    at += size;
    if (network.random.chance(0.1)) await network.sleep(network.random.below(1000));
  }
}

/** Answers while it is asked, in chunks, or all at once. */
const answerHttp: HttpHandler = async (request, reply) => {
  if (request.path === "/whole") return reply.send(200, {}, plusOne(await request.bytes()));
  reply.begin(200);
  for await (const piece of request) await reply.write(plusOne(piece));
  reply.end();
};

async function askHttp(
  client: HttpClient,
  url: string,
  key: number,
  network: SimulatedNetwork,
): Promise<void> {
  const { random } = network;
  for (let count = 1 + random.below(5); count > 0; count--) {
    const size = random.below(BYTES_MAX);
    const question = (questions[key] as Buffer).subarray(0, size);
    const response = await client.request(`${url}/${random.pick(["whole", "pieces"])}`, {
      method: "POST",
      body: random.chance(0.5) ? question : pieces(question, network),
    });
    // The server has waited too long for the rest of the question.
    if (response.status === 408) throw new RequestTimeoutError("send", 0);
    assert.equal(response.status, 200);
    const content = await response.bytes();
    assert.ok(
      (questions[key + 1] as Buffer).subarray(0, size).equals(content),
      `${content.length} of ${size}`,
    );
  }
}

const answerWebSocket: WebSocketHandler = async (socket) => {
  for await (const message of socket) await socket.send(plusOne(message as Buffer));
};

async function askWebSocket(url: string, key: number, network: SimulatedNetwork): Promise<void> {
  const { random } = network;
  const socket = await connect(url);
  const sizes = Array.from({ length: 1 + random.below(8) }, () => random.below(BYTES_MAX));
  const sending = (async (): Promise<void> => {
    for (const size of sizes) {
      const question = (questions[key] as Buffer).subarray(0, size);
      await socket.send(size > 0 && random.chance(0.3) ? pieces(question, network) : question);
    }
  })();
  const receiving = (async (): Promise<void> => {
    let came = 0;
    for await (const message of socket) {
      const size = sizes[came++] as number;
      assert.ok((questions[key + 1] as Buffer).subarray(0, size).equals(message as Buffer), `answer ${came}`);
      if (came === sizes.length) await socket.close();
    }
    // A closing handshake before the last answer would be a loss without an error: a server that stops says 1001.
    const { code } = await socket.closed;
    if (code !== 1001) assert.equal(came, sizes.length);
  })();
  const results = await Promise.allSettled([sending, receiving]);
  await socket.close();
  await socket.closed;
  for (const result of results.toReversed()) if (result.status === "rejected") throw result.reason as Error;
}

const lives: Readonly<Record<string, (network: SimulatedNetwork) => Promise<Lived>>> = {
  async "HTTP, server and client"(network) {
    const url = `http://${network.host("server").address}`;
    // Each keeps its connections from one conversation to the next; the last one has what was harmed by nobody.
    const clients = Array.from({ length: CLIENTS + 1 }, () => new HttpClient());
    const stats = await live(network, {
      servers: {
        server: (home, options) =>
          serve({
            host: home.address,
            port: 80,
            handle: answerHttp,
            lingerTimeoutMs: network.random.below(2000),
            connectionsMax: 1 + network.random.below(2 * CLIENTS),
            ...options,
          }),
      },
      clients: CLIENTS,
      converse: (key, isMended) =>
        askHttp(clients[isMended ? CLIENTS : key] as HttpClient, url, key, network),
      assertFault,
    });
    for (const client of clients) client.close();
    return stats;
  },
  "WebSocket, server and client": (network) =>
    live(network, {
      servers: {
        server: (home, options) =>
          serveWebSockets({
            host: home.address,
            port: 80,
            handle: answerWebSocket,
            ...options,
          }),
      },
      clients: CLIENTS,
      converse: (key) => askWebSocket(`ws://${network.host("server").address}/`, key, network),
      assertFault,
    }),
};

for (const [what, life] of Object.entries(lives))
  test(`${SEEDS} networks that fail at random under ${what}: everybody comes to an end, and no byte is lost without an error`, async (t) => {
    const only = process.env["BERKELEY_SEED"];
    const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)];
    const sums: Record<string, number> = {};
    for (const seed of seeds)
      for (const [name, count] of Object.entries(await simulate(life, { seed })))
        sums[name] = (sums[name] ?? 0) + count;
    t.diagnostic(JSON.stringify(sums));
    for (const name of ["completed", "harmed"]) assert.ok((sums[name] ?? 0) > 0, `none ${name}`);
  });
