// Many more clients than places, in processes of their own. BERKELEY_TEST_CLIENTS=20000 asks for more of them than the
// kernel's queue holds (net.core.somaxconn): those beyond it are tried again by the client's TCP, after 1, 3, 7 … s.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { DrainReport, ServerStats } from "berkeley/server";
import { UNDER_SANITIZERS } from "../support/process.ts";
import { program } from "../support/program.ts";

const CLIENTS = Number(process.env["BERKELEY_TEST_CLIENTS"] ?? 2000);
const PLACES = 100;
/** Clients of one process; it has a descriptor for each. */
const CLIENTS_PER_PROCESS = 5000;
const QUEUE = Number(readFileSync("/proc/sys/net/core/somaxconn", "utf8"));

interface Report {
  readonly most: number;
  readonly moved: number;
  readonly grown: number;
  readonly stats: ServerStats;
  readonly drained: DrainReport;
}

test(`serve() gives ${PLACES} places to ${CLIENTS} clients, in order, and loses nobody (in child processes)`, async (t) => {
  await using server = program(import.meta.url, "overload-child", {
    args: ["serve", `${PLACES}`, `${CLIENTS}`],
    node: ["--max-semi-space-size=1"], // V8's young generation grows to 32 MiB once, whatever is done
  });
  const [, port] = await server.line(/^port (\d+)$/m);
  const processes = Math.ceil(CLIENTS / CLIENTS_PER_PROCESS);
  const each = Math.ceil(CLIENTS / processes);
  const clients = Array.from({ length: processes }, (_, at) =>
    program(import.meta.url, "overload-child", { args: ["load", `${port}`, `${each}`, `${at}`] }),
  );
  for (const client of clients) {
    const { stdout } = await client.succeeded();
    assert.equal(stdout.toString(), `answered ${each}, wrong 0\n`);
  }
  server.stdin.end();
  const report = JSON.parse((await server.line(/^\{.*\}$/m))[0]) as Report;
  await server.succeeded();
  const { stats, drained } = report;
  t.diagnostic(`moved by ${report.moved}, memory by ${report.grown} bytes`);
  assert.equal(report.most, PLACES);
  assert.deepEqual([stats.accepted, stats.finished, stats.failed], [each * processes, each * processes, 0]);
  assert.deepEqual(drained, { completed: 0, aborted: 0, abandoned: 0 });
  // Those who have places are served at once; nobody is overtaken by more than their number.
  if (processes === 1 && CLIENTS < QUEUE) assert.ok(report.moved < PLACES, `moved by ${report.moved}`);
  if (!UNDER_SANITIZERS) assert.ok(report.grown < 16 << 20, `grew by ${report.grown} bytes`);
});
