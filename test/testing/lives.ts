// Life on a network that fails at random: servers that are made anew when their host has been down, clients that converse
// while things go wrong and once more when all is mended. What they say to each other it does not know.

import assert from "node:assert/strict";
import type { Server, ServerStats } from "berkeley/server";
import type { SimulatedHost, SimulatedNetwork } from "berkeley/testing";
import { disturb } from "./disturb.ts";

/** For so long things go wrong; then all is mended, and everybody comes to an end. */
const CHAOS_MS = 30_000;

/** What every server is told: when it is over, and whom to tell of failures. What that throws would be a warning and no more. */
export interface ServerOptions {
  readonly signal: AbortSignal;
  readonly onError: (error: unknown) => void;
}

/** Who is on such a network. */
export interface Life {
  /** Names of the hosts with a server, and how it is made there. */
  readonly servers: Readonly<
    Record<
      string,
      (home: SimulatedHost, options: ServerOptions) => Promise<Pick<Server, "finished" | "stats">>
    >
  >;
  /** How many clients there are at a time. */
  readonly clients: number;
  /** One of them, at this host. `isMended`: nothing fails any more; what was harmed before must not be used again. */
  converse(key: number, isMended: boolean): Promise<void>;
  /** Throws the error unless it is one that harm brings about. */
  assertFault(error: unknown): void;
}

/** Serves at home, and again when home was down, until it is over. */
async function keepServing(
  network: SimulatedNetwork,
  home: SimulatedHost,
  make: Life["servers"][string],
  options: ServerOptions,
): Promise<ServerStats> {
  const sums: Record<string, number> = {};
  while (!options.signal.aborted) {
    const server = await home.run(() => make(home, options));
    // The host went down, or all is over.
    await server.finished.catch((error: unknown) =>
      assert.equal((error as { code?: unknown }).code, "EINVAL"),
    );
    const { active, accepted, finished, failed, timedOut, aborted, refused } = server.stats();
    assert.equal(active, 0);
    assert.equal(finished + failed + timedOut + aborted + refused, accepted);
    for (const [name, count] of Object.entries(server.stats())) sums[name] = (sums[name] ?? 0) + count;
    await network.sleep(100);
  }
  return sums as unknown as ServerStats;
}

/** What the first of the servers has counted, and what became of conversations. */
export interface Lived extends ServerStats {
  readonly completed: number;
  readonly harmed: number;
}

/** Everybody's life until the end. */
export async function live(network: SimulatedNetwork, life: Life): Promise<Lived> {
  const { random } = network;
  const homes = Object.entries(life.servers).map(([name, make]) => [network.host(name), make] as const);
  const hosts = [network.host("first"), network.host("second")];
  const over = new AbortController();
  const failures: unknown[] = [];
  const options: ServerOptions = { signal: over.signal, onError: (error) => failures.push(error) };
  const serving = homes.map(([home, make]) => keepServing(network, home, make, options));
  let completed = 0;
  let harmed = 0;
  const converse = async (host: SimulatedHost, key: number, isMended: boolean): Promise<void> => {
    await host.run(() => life.converse(key, isMended));
    completed++;
  };
  const asking = Array.from({ length: life.clients }, async (_, key) => {
    const host = random.pick(hosts);
    do {
      await network.sleep(random.below(3000));
      await converse(host, key, false).catch((error: unknown) => {
        life.assertFault(error);
        harmed++;
      });
    } while (network.now < CHAOS_MS);
  });
  await disturb(network, [...homes.map(([home]) => home), ...hosts], CHAOS_MS);
  await Promise.all(asking);
  // Nothing fails any more: a conversation now comes to its end.
  await network.sleep(1000);
  await converse(random.pick(hosts), 0, true);
  over.abort();
  const [stats] = await Promise.all(serving);
  for (const failure of failures) life.assertFault(failure);
  return { ...(stats as ServerStats), completed, harmed };
}
