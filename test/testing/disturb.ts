// What goes wrong on a simulated network. What runs on it, it does not know.

import type { SimulatedHost, SimulatedNetwork } from "berkeley/testing";

/** Partitions, resets, crashes, links that change, from the network's own randomness, until that time; then all is mended. */
export async function disturb(
  network: SimulatedNetwork,
  hosts: readonly SimulatedHost[],
  untilMs: number,
): Promise<void> {
  const { random } = network;
  while (network.now < untilMs) {
    await network.sleep(random.below(4000));
    const [a, b] = [random.pick(hosts), random.pick(hosts)];
    switch (random.below(6)) {
      case 0:
        network.partition([a], [b]);
        break;
      case 1:
        network.heal();
        break;
      case 2:
        network.reset(a, b);
        break;
      case 3:
        a.crash();
        await network.sleep(random.below(2000));
        a.restart();
        break;
      default:
        network.link(a, b, {
          latencyMs: random.below(200),
          jitterMs: random.below(100),
          loss: random.fraction() / 4,
          bytesPerSecond: 10_000 + random.below(1_000_000),
        });
    }
  }
  network.heal();
  for (const a of hosts) for (const b of hosts) network.link(a, b, { loss: 0, bytesPerSecond: Infinity });
}
