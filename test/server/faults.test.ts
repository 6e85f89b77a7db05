// Faults on the real loopback, each round from its seed: resets, ends in the midst, stalls, aborts, a server that stops,
// through serve(), streams and every adapter; and the same where the kernel loses packets and nothing comes through for a
// while. Every promise settles, no byte is lost, doubled or changed without an error, and no descriptor is left.
//
// FUZZ_SEED replays the round with that seed; FUZZ_ROUNDS makes so many of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServerStats } from "berkeley/server";
import { NAMESPACE_SKIP, nodeInNamespace } from "../support/namespace.ts";
import { openSockets } from "../support/pair.ts";
import { requirePeer } from "../support/peers.ts";
import { faultRound } from "./fault-round.ts";

const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? (process.env["FUZZ_SEED"] === undefined ? 100 : 1));
const FIRST = Number(process.env["FUZZ_SEED"] ?? 0);

/** The harm was done: everything that can become of a connection has become of some. */
function judge({ accepted, finished, failed, timedOut, aborted }: ServerStats): void {
  if (ROUNDS < 100) return;
  for (const [name, count] of Object.entries({ accepted, finished, failed, timedOut, aborted }))
    assert.ok(count > 0, `none ${name}`);
}

test(`${ROUNDS} rounds of faults on the loopback: everybody comes to an end, and no byte is lost without an error`, async (t) => {
  const sums: Record<string, number> = {};
  for (let seed = FIRST; seed < FIRST + ROUNDS; seed++) {
    const before = openSockets();
    const stats = await faultRound(seed).catch((error: unknown) => {
      throw new Error(`FUZZ_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    });
    assert.deepEqual(openSockets(), before, `FUZZ_SEED=${seed}: descriptors that are left`);
    for (const [name, count] of Object.entries(stats)) sums[name] = (sums[name] ?? 0) + count;
  }
  t.diagnostic(JSON.stringify(sums));
  judge(sums as unknown as ServerStats);
});

const nft = requirePeer("nft");
/** Packets are lost, one in fifty; and a chain to be filled where all are. */
const LOSS = `
  nft add table inet faults
  nft add chain inet faults input "{ type filter hook input priority 0; }"
  nft add chain inet faults cut
  nft add rule inet faults input jump cut
  nft add rule inet faults input meta l4proto tcp numgen random mod 50 == 0 drop`;

test(`${ROUNDS} rounds of faults on a loopback that loses packets and is cut now and then (in a namespace)`, {
  skip: NAMESPACE_SKIP || nft.skip,
}, async (t) => {
  const child = new URL("faults-child.js", import.meta.url).pathname;
  await using rounds = nodeInNamespace(LOSS, child, [nft.path, `${FIRST}`, `${ROUNDS}`]);
  const { stdout } = await rounds.succeeded();
  t.diagnostic(stdout.toString().trim());
  judge(JSON.parse(stdout.toString()) as ServerStats);
});
