// Ten thousand connections in one process. Both ends of one lie in two processes, because each needs a descriptor.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { program } from "../support/program.ts";

const CONNECTIONS = 10_000;
/** And what a process has open besides. */
const DESCRIPTORS = CONNECTIONS + 200;

const hardLimit = /^Max open files +\d+ +(\S+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
const tooLow = hardLimit !== "unlimited" && Number(hardLimit) < DESCRIPTORS;
const reason = tooLow ? `; skipped: ulimit -Hn is ${hardLimit}, below ${DESCRIPTORS}` : "";

test(`${CONNECTIONS} connections at once echo, each its own bytes, and leave no descriptor (in child processes)${reason}`, {
  skip: tooLow,
}, async () => {
  const limited = { descriptors: DESCRIPTORS };
  await using server = program(import.meta.url, "crowd-child", {
    ...limited,
    args: ["serve", `${CONNECTIONS}`],
  });
  const [, port] = await server.line(/^port (\d+)$/m);
  await using visitors = program(import.meta.url, "crowd-child", {
    ...limited,
    args: ["visit", `${CONNECTIONS}`, `${port}`],
  });
  const heard = await visitors.succeeded();
  assert.equal(heard.stdout.toString(), `right ${CONNECTIONS}, ended ${CONNECTIONS}\n`);
  const served = await server.succeeded();
  assert.match(served.stdout.toString(), new RegExp(`^at once ${CONNECTIONS}$`, "m"));
});
