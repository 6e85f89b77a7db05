// docs/parity.md: that every name of CPython's modules is here and tested, or absent for a reason; and that the page is true.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

/** Runs the script; what it objects to. */
async function objections(how: string): Promise<string> {
  await using script = start(process.execPath, [`${ROOT}scripts/parity.mjs`, how], { cwd: ROOT });
  const { code, stderr } = await script.exited;
  assert.equal(code === 0, stderr.length === 0);
  return stderr.toString();
}

test("docs/parity.md is true: each name of CPython 3.11 to 3.15 is exported and tested, or absent for a reason", async () => {
  assert.equal(await objections("--check"), "");
});

test("the CPython of this machine has no public name that is neither here nor absent for a reason", {
  skip: PYTHON.skip,
}, async () => {
  assert.equal(await objections("--ask"), "");
});
