// Many idle WebSockets, in processes of their own: what they hold, how often they are pinged, and that all are closed at the
// end. BERKELEY_TEST_CLIENTS=20000 asks for as many as the machine has descriptors for.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { DrainReport, ServerStats } from "berkeley/server";
import { UNDER_SANITIZERS } from "../support/process.ts";
import { program } from "../support/program.ts";

const CLIENTS = Number(process.env["BERKELEY_TEST_CLIENTS"] ?? 500);
/** Clients of one process; it has a descriptor for each. */
const CLIENTS_PER_PROCESS = 5000;
/** Of a connection while it is idle, with all that a server has for it: three times what is measured. */
const BYTES_EACH_MAX = 20_000;
/** What the heap grows to whatever the number. */
const HEAP_BYTES_MAX = 8 << 20;
const PING_MS = Math.max(200, CLIENTS / 5);
const ROUNDS = 4;

interface Report {
  readonly pinged: number;
  readonly subscribed: number;
  readonly left: number;
  readonly drained: DrainReport;
  readonly stats: ServerStats;
}

test(`serve() holds ${CLIENTS} idle WebSockets in bounded memory, pings each in its time, and closes all at a shutdown (in child processes)`, async (t) => {
  const processes = Math.ceil(CLIENTS / CLIENTS_PER_PROCESS);
  const each = Math.ceil(CLIENTS / processes);
  const all = each * processes;
  await using server = program(import.meta.url, "idle-child", {
    args: ["serve", `${all}`, `${PING_MS}`],
    node: ["--max-semi-space-size=1"], // V8's young generation grows to 32 MiB once, whatever is done
  });
  const [, port] = await server.line(/^port (\d+)$/m);
  const clients = Array.from({ length: processes }, () =>
    program(import.meta.url, "idle-child", { args: ["hold", `${port}`, `${each}`, `${ROUNDS}`] }),
  );
  const [, held] = await server.line(/^held (-?\d+)$/m);
  for (const client of clients) {
    const [, most, ms] = await client.line(/^pinged (\d+) in (\d+) ms$/m);
    // One for each time that it was silent, never more.
    assert.ok(Number(most) <= Number(ms) / PING_MS, `${most} pings in ${ms} ms`);
  }
  server.stdin.end();
  const report = JSON.parse((await server.line(/^\{.*\}$/m))[0]) as Report;
  await server.succeeded();
  for (const client of clients) {
    const [, closed] = await client.line(/^closed (\d+)$/m);
    assert.equal(Number(closed), each);
    await client.succeeded();
  }
  const { pinged, subscribed, left, drained, stats } = report;
  t.diagnostic(`${Number(held)} bytes when all were open, ${pinged} after ${ROUNDS} pings each`);
  assert.deepEqual([subscribed, left], [all, 0]);
  assert.deepEqual(drained, { completed: all, aborted: 0, abandoned: 0 });
  assert.deepEqual([stats.accepted, stats.finished, stats.failed, stats.active], [all, all, 0, 0]);
  if (UNDER_SANITIZERS) return;
  assert.ok(pinged < HEAP_BYTES_MAX + all * BYTES_EACH_MAX, `${pinged} bytes for ${all}`);
  assert.ok(pinged - Number(held) < HEAP_BYTES_MAX / 2 + all * 2000, `grown by ${pinged - Number(held)}`);
});
