// The client on a simulated network: its timeouts by the network's clock, servers that crash and come back, and resets at
// random, under which no answer may go to another request than its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketError } from "berkeley";
import { HttpClient, RequestTimeoutError, serve } from "berkeley/http";
import type { HttpHandler, HttpServeOptions } from "berkeley/http";
import type { Server } from "berkeley/server";
import { simulate } from "berkeley/testing";
import type { SimulatedHost, SimulatedNetwork } from "berkeley/testing";
import { RemoteProtocolError } from "berkeley/wire";

const PORT = 80;

function serveOn(host: SimulatedHost, options: HttpServeOptions): Promise<Server> {
  return host.run(() => serve({ host: host.address, port: PORT, ...options }));
}

async function closeAll(client: HttpClient, server: Server): Promise<void> {
  client.close();
  await server.shutdown({ deadlineMs: 0 });
}

test("a partition ends a request by its default timeouts, of the network's time", async () => {
  await simulate(async (network) => {
    const [here, there] = [network.host("here"), network.host("there")];
    const piece = Buffer.alloc(100_000, "p");
    const server = await serveOn(there, {
      async handle(asked, reply) {
        reply.begin(200);
        if (asked.path === "/long") for (let count = 0; count < 100; count++) await reply.write(piece);
        reply.end();
      },
    });
    network.link(here, there, { latencyMs: 10, bytesPerSecond: 100_000 });
    const url = `http://${there.address}:${PORT}`;
    await here.run(async () => {
      const client = new HttpClient();
      const response = await client.request(`${url}/long`);
      network.partition([here], [there]);
      const before = network.now;
      await assert.rejects(response.bytes(), (error) => {
        assert.ok(error instanceof RequestTimeoutError || error instanceof SocketError, String(error));
        return true;
      });
      assert.ok(network.now - before >= 59_000, `${network.now - before} ms`);
      await assert.rejects(client.request(url), (error) => {
        assert.ok(error instanceof RequestTimeoutError);
        assert.equal(error.phase, "connect");
        return true;
      });
      network.heal();
      assert.equal((await client.request(url)).status, 200);
      await closeAll(client, server);
    });
  });
});

test("a kept connection to a server that crashed is met once, and the request sent again to who came back", async () => {
  await simulate(async (network) => {
    const [here, there] = [network.host("here"), network.host("there")];
    network.link(here, there, { latencyMs: 10 });
    const handle: HttpHandler = (_, reply) => reply.send(200, {}, "hello");
    const crashed = await serveOn(there, { handle });
    const url = `http://${there.address}:${PORT}/`;
    await here.run(async () => {
      const client = new HttpClient({ keepAliveTimeoutMs: Infinity });
      assert.equal(await (await client.request(url)).text(), "hello");
      there.crash();
      await crashed.shutdown({ deadlineMs: 0 });
      there.restart();
      const server = await serveOn(there, { handle });
      assert.equal(client.stats().idle, 1);
      assert.equal(await (await client.request(url)).text(), "hello");
      await closeAll(client, server);
    });
  });
});

/** Answers with what was asked, again and again; how often and how framed the query says. */
const repeat: HttpHandler = async (asked, reply) => {
  const [times = 1, isChunked = 0] = asked.query.split(",").map(Number);
  const content = `${asked.path}${await asked.text()};`.repeat(times);
  if (isChunked === 0) {
    reply.send(200, {}, content);
    return;
  }
  reply.begin(200);
  for (let at = 0; at < content.length; at += 1000) await reply.write(content.slice(at, at + 1000));
  reply.end();
};

/** What a network may do to a request. */
function isExpected(error: unknown): boolean {
  if (error instanceof SocketError) return true;
  return error instanceof RemoteProtocolError && error.code === "ERR_HTTP_UNEXPECTED_END";
}

async function askAtRandom(network: SimulatedNetwork, client: HttpClient, url: string): Promise<number> {
  const { random } = network;
  let next = 0;
  let answered = 0;
  const loop = async (): Promise<void> => {
    while (next < 60) {
      const number = next++;
      const times = 1 + random.below(random.chance(0.25) ? 5000 : 20);
      const isPut = random.chance(0.5);
      try {
        const response = await client.request(`${url}/${number}?${times},${random.below(2)}`, {
          method: isPut ? "PUT" : "GET",
          body: isPut ? "x".repeat(random.below(2000)) : undefined,
        });
        if (random.chance(0.2)) {
          response.close();
          continue;
        }
        const content = await response.text();
        assert.match(content.slice(0, content.indexOf(";")), new RegExp(`^/${number}x*$`));
        assert.equal(content.split(";").length, times + 1);
        answered++;
      } catch (error) {
        if (!isExpected(error)) throw error;
      }
    }
  };
  await Promise.all([loop(), loop(), loop(), loop()]);
  return answered;
}

for (let seed = 1; seed <= 8; seed++)
  test(`no answer goes to another request when connections are reset at random (seed ${seed})`, async () => {
    await simulate(
      async (network) => {
        const [here, there] = [network.host("here"), network.host("there")];
        network.link(here, there, { latencyMs: 5, jitterMs: 10, bytesPerSecond: 1_000_000, loss: 0.01 });
        const server = await serveOn(there, { handle: repeat });
        await here.run(async () => {
          const client = new HttpClient({ connectionsMax: 3 });
          const over = new AbortController();
          const resets = (async (): Promise<void> => {
            while (!over.signal.aborted) {
              await network.sleep(50 + network.random.below(300));
              network.reset(here, there);
            }
          })();
          const answered = await askAtRandom(network, client, `http://${there.address}:${PORT}`);
          over.abort();
          await resets;
          assert.ok(answered > 0);
          await closeAll(client, server);
        });
      },
      { seed },
    );
  });
