// As faults.test.ts, with serve(), streams, frames and readers on top, directly and through a relay that pipes: networks
// that fail at random, each from its seed, under servers that are made anew when their host has gone down.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerError, serve } from "berkeley/server";
import type { Handler, Server } from "berkeley/server";
import { connectTcp, listenTcp, pipe, pipeBoth } from "berkeley/stream";
import type { ByteStream, SocketStream } from "berkeley/stream";
import { simulate } from "berkeley/testing";
import type { SimulatedHost, SimulatedNetwork } from "berkeley/testing";
import { CLIENTS, answer, ask, assertFault } from "../server/questions.ts";
import { live } from "./lives.ts";
import type { ServerOptions } from "./lives.ts";

/** FUZZ_ROUNDS asks for more; CI runs a thousand. */
const SEEDS = Number(process.env["FUZZ_ROUNDS"] ?? 10);
const HOUR_MS = 3_600_000;

/** Handlers may fail as networks do. */
async function serveAt(
  home: SimulatedHost,
  handler: Handler<SocketStream>,
  { random }: SimulatedNetwork,
  { signal, onError }: ServerOptions,
): Promise<Server<SocketStream>> {
  return serve(await listenTcp(home.address, 80), handler, {
    connectionsMax: 1 + random.below(CLIENTS),
    idleTimeoutMs: random.chance(0.3) ? 5_000 : HOUR_MS,
    onError: (error) => {
      if (!(error instanceof ServerError)) onError(error);
    },
    signal,
  });
}

/** A client's bytes to the server, and the answers back: both ways in one, or each by itself. */
function relayTo(address: string, network: SimulatedNetwork): Handler<SocketStream> {
  return async (stream) => {
    const signal = network.timeout(HOUR_MS);
    await using onward: ByteStream = await connectTcp(address, 80, { signal });
    if (network.random.chance(0.5)) await pipeBoth(stream, onward, { signal });
    else
      for (const result of await Promise.allSettled([
        pipe(stream, onward, { signal }),
        pipe(onward, stream, { signal }),
      ]))
        if (result.status === "rejected") throw result.reason as Error;
  };
}

const run = (seed: number): ReturnType<typeof live> =>
  simulate(
    async (network) => {
      const server = network.host("server").address;
      const relay = network.host("relay").address;
      return await live(network, {
        servers: {
          server: (home, options) => serveAt(home, answer, network, options),
          relay: (home, options) => serveAt(home, relayTo(server, network), network, options),
        },
        clients: CLIENTS,
        async converse(key) {
          const signal = network.timeout(HOUR_MS);
          await using stream: ByteStream = await connectTcp(network.random.pick([server, relay]), 80, {
            signal,
          });
          await ask(stream, key, network.random, signal);
        },
        assertFault,
      });
    },
    { seed },
  );

test(`${SEEDS} networks that fail at random under serve(): everybody comes to an end, and no byte is lost without an error`, async (t) => {
  const only = process.env["BERKELEY_SEED"];
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)];
  const sums: Record<string, number> = {};
  for (const seed of seeds)
    for (const [name, count] of Object.entries(await run(seed))) sums[name] = (sums[name] ?? 0) + count;
  t.diagnostic(JSON.stringify(sums));
  const sought = SEEDS >= 100 ? ["completed", "harmed", "failed", "timedOut"] : ["completed", "harmed"];
  for (const name of sought) assert.ok((sums[name] ?? 0) > 0, `none ${name}`);
});
