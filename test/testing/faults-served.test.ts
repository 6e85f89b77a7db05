// As faults.test.ts, with serve(), streams and frames on top: networks that fail at random, each from its seed, under
// servers that are made anew when their host has gone down.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerError, serve } from "berkeley/server";
import type { Server, ServerStats } from "berkeley/server";
import { connectTcp, listenTcp } from "berkeley/stream";
import type { ByteStream, SocketStream } from "berkeley/stream";
import { simulate } from "berkeley/testing";
import type { SimulatedHost, SimulatedNetwork } from "berkeley/testing";
import { CLIENTS, answer, ask, assertFault } from "../server/questions.ts";
import { disturb } from "./disturb.ts";

/** FUZZ_ROUNDS asks for more, of which one in ten is run here: each has far more bytes than those of faults.test.ts. */
const SEEDS = Math.ceil(Number(process.env["FUZZ_ROUNDS"] ?? 100) / 10);
/** For so long things go wrong; then all is mended, and everybody comes to an end. */
const CHAOS_MS = 30_000;
const HOUR_MS = 3_600_000;

/** Serves at home, and again when home was down, until it is over. Handlers may fail as networks do. */
async function keepServing(
  network: SimulatedNetwork,
  home: SimulatedHost,
  over: AbortSignal,
): Promise<ServerStats> {
  const { random } = network;
  const sums: Record<string, number> = {};
  while (!over.aborted) {
    const server: Server<SocketStream> = await home.run(async () =>
      serve(await listenTcp(home.address, 80), answer, {
        connectionsMax: 1 + random.below(CLIENTS),
        idleTimeoutMs: random.chance(0.3) ? 5_000 : HOUR_MS,
        onError: (error) => {
          if (!(error instanceof ServerError)) assertFault(error);
        },
        signal: over,
      }),
    );
    // The host went down, or all is over.
    await server.finished.catch((error: unknown) =>
      assert.equal((error as { code?: unknown }).code, "EINVAL"),
    );
    const { active, accepted, finished, failed, timedOut, aborted } = server.stats();
    assert.equal(active, 0);
    assert.equal(finished + failed + timedOut + aborted, accepted);
    for (const [name, count] of Object.entries(server.stats())) sums[name] = (sums[name] ?? 0) + count;
    await network.sleep(100);
  }
  return sums as unknown as ServerStats;
}

async function converse(network: SimulatedNetwork, host: SimulatedHost, key: number): Promise<void> {
  await using stream: ByteStream = await host.run(() =>
    connectTcp(network.host("server").address, 80, { signal: network.timeout(HOUR_MS) }),
  );
  await ask(stream, key, network.random, network.timeout(HOUR_MS));
}

async function life(network: SimulatedNetwork): Promise<ServerStats> {
  const { random } = network;
  const home = network.host("server");
  const hosts = [network.host("first"), network.host("second")];
  const over = new AbortController();
  const serving = keepServing(network, home, over.signal);
  const asking = Array.from({ length: CLIENTS }, async (_, key) => {
    const host = random.pick(hosts);
    do {
      await network.sleep(random.below(3000));
      await converse(network, host, key).catch(assertFault);
    } while (network.now < CHAOS_MS);
  });
  await disturb(network, [home, ...hosts], CHAOS_MS);
  await Promise.all(asking);
  // Nothing fails any more: a conversation now comes to its end.
  await network.sleep(1000);
  await converse(network, random.pick(hosts), 0);
  over.abort();
  return await serving;
}

test(`${SEEDS} networks that fail at random under serve(): everybody comes to an end, and no byte is lost without an error`, async (t) => {
  const only = process.env["BERKELEY_SEED"];
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)];
  const sums: Record<string, number> = {};
  for (const seed of seeds)
    for (const [name, count] of Object.entries(await simulate(life, { seed })))
      sums[name] = (sums[name] ?? 0) + count;
  t.diagnostic(JSON.stringify(sums));
  const sought = SEEDS >= 100 ? ["finished", "failed", "timedOut"] : ["finished"];
  for (const name of sought) assert.ok((sums[name] ?? 0) > 0, `none ${name}`);
});
