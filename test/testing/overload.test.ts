// Servers with far more clients than places, on a simulated network, where order and time are exact: nobody is lost, the
// first who came is the first who is served, the end comes when it was promised. test/server/overload.test.ts has the same
// against the kernel.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SocketError } from "berkeley";
import { guard, serve } from "berkeley/server";
import type { Handler, ServeOptions, Server } from "berkeley/server";
import { connectTcp, listenTcp } from "berkeley/stream";
import type { ByteStream, SocketStream } from "berkeley/stream";
import { simulate } from "berkeley/testing";
import type { SimulatedHost, SimulatedNetwork } from "berkeley/testing";
import { ask } from "../server/support.ts";

const CLIENTS = Number(process.env["BERKELEY_TEST_CLIENTS"] ?? 5000);
const PLACES = 100;
/** A handler's work. */
const WORK_MS = 50;
const MINUTE_MS = 60_000;

interface Place {
  readonly server: Server<SocketStream>;
  /** From one of the hosts of the crowd, in turn. */
  connect(client: number): Promise<SocketStream>;
}

async function place(
  network: SimulatedNetwork,
  handler: Handler<SocketStream>,
  options: ServeOptions<SocketStream>,
): Promise<Place> {
  const home = network.host("home");
  const crowd: readonly SimulatedHost[] = ["a", "b", "c", "d"].map((name) => network.host(name));
  const server = await home.run(async () => serve(await listenTcp(home.address, 80), handler, options));
  const connect = (client: number): Promise<SocketStream> =>
    (crowd[client % crowd.length] as SimulatedHost).run(() => connectTcp(home.address, 80));
  return { server, connect };
}

test(`serve() gives ${PLACES} places to ${CLIENTS} clients that come at once: never more, in order, and nobody is lost`, async () => {
  await simulate(async (network) => {
    let [running, most] = [0, 0];
    const came: string[] = [];
    const served: string[] = [];
    const at = await place(
      network,
      async (stream) => {
        most = Math.max(most, ++running);
        served.push(String(stream.remoteAddress));
        const word = await stream.receiveSome();
        await network.sleep(WORK_MS);
        await stream.sendAll(word);
        running--;
      },
      { connectionsMax: PLACES },
    );
    const clients = Array.from({ length: CLIENTS }, async (_, client) => {
      const stream = await at.connect(client);
      came.push(String(stream.localAddress));
      assert.equal(await ask(stream, `${client}`), `${client}`);
      stream.close();
    });
    await Promise.all(clients);
    assert.equal(most, PLACES);
    assert.equal(came.length, CLIENTS);
    assert.deepEqual(served, came);
    await at.server.shutdown();
    const { accepted, finished } = at.server.stats();
    assert.deepEqual([accepted, finished], [CLIENTS, CLIENTS]);
  });
});

for (const [deadlineMs, outcome] of [
  [WORK_MS + 10, { completed: PLACES, aborted: 0, abandoned: 0 }],
  [WORK_MS - 10, { completed: 0, aborted: PLACES, abandoned: 0 }],
] as const)
  test(`shutdown() with a deadline of ${deadlineMs} ms under overload keeps it, and who was not accepted hears of the end`, async () => {
    await simulate(async (network) => {
      const seen = { begun: 0 };
      const at = await place(
        network,
        async (stream, { signal }) => {
          const word = await stream.receiveSome();
          seen.begun++;
          await network.sleep(WORK_MS);
          signal.throwIfAborted();
          await stream.sendAll(word);
        },
        { connectionsMax: PLACES },
      );
      let [answered, refused] = [0, 0];
      const clients = Array.from({ length: 10 * PLACES }, async (_, client) => {
        let stream: ByteStream | undefined;
        try {
          stream = await at.connect(client);
          await stream.sendAll("hello");
          if ((await stream.receiveSome()).length === 0) refused++;
          else answered++;
        } catch (error) {
          assert.ok(error instanceof SocketError, String(error));
          refused++;
        } finally {
          stream?.close();
        }
      });
      while (seen.begun < 3 * PLACES) await network.sleep(1);
      const since = network.now;
      assert.deepEqual(await at.server.shutdown({ deadlineMs }), outcome);
      // Handlers that are told of the end are given time to notice it.
      assert.ok(network.now - since <= WORK_MS + 10, `${network.now - since} ms`);
      await Promise.all(clients);
      assert.equal(answered, 2 * PLACES + outcome.completed);
      assert.equal(answered + refused, 10 * PLACES);
    });
  });

/** Connects and says nothing, again and again, until the test is over. */
async function sayNothing(
  network: SimulatedNetwork,
  connect: () => Promise<SocketStream>,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    let stream: SocketStream | undefined;
    try {
      stream = await connect();
      await stream.receiveSome(1, { signal: over });
    } catch (error) {
      if (!over.aborted) assert.ok(error instanceof SocketError, String(error));
    } finally {
      stream?.close();
    }
    if (!over.aborted) await network.sleep(5_000);
  }
}

/** Minutes of a flood of silent connections with one client that speaks; the longest that it waited for an answer. */
async function flooded(
  network: SimulatedNetwork,
  handler: Handler<SocketStream>,
  silent: number,
): Promise<number> {
  const at = await place(network, handler, { connectionsMax: PLACES, idleTimeoutMs: 30_000 });
  const over = new AbortController();
  const flood = Array.from({ length: silent }, (_, client) =>
    sayNothing(network, () => at.connect(client), over.signal),
  );
  const honest = network.host("honest");
  let longest = 0;
  while (network.now < 5 * MINUTE_MS) {
    await network.sleep(MINUTE_MS / 4);
    const since = network.now;
    const stream = await honest.run(() => connectTcp(network.host("home").address, 80));
    assert.equal(await ask(stream, "hello"), "hello");
    stream.close();
    longest = Math.max(longest, network.now - since);
  }
  over.abort();
  await Promise.all(flood);
  await at.server.shutdown();
  assert.ok(at.server.stats().timedOut > 0);
  return longest;
}

async function echoOnce(stream: ByteStream): Promise<void> {
  await stream.sendAll(await stream.receiveSome());
}

test("a flood of connections that say nothing makes others wait for the idle timeout, and does not stop them", async () => {
  await simulate(async (network) => {
    const silent = 400;
    const longest = await flooded(network, echoOnce, silent);
    // Everybody who came before has his time.
    assert.ok(longest <= (silent / PLACES) * 30_000 + 1000, `${longest} ms`);
  });
});

test("a flood of connections that say nothing takes no more places than guard() gives to an address", async () => {
  await simulate(async (network) => {
    const longest = await flooded(network, guard(echoOnce, { connectionsPerAddressMax: 20 }), 200);
    assert.ok(longest < 1000, `${longest} ms`);
  });
});
