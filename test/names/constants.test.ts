// The constants against CPython's, and the committed generated files against their source.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import * as constants from "#dist/constants/index.js";
import { askPython, python3 } from "../support/ask-python.ts";

const table: Readonly<Record<string, number>> = constants;

test("every integer constant of CPython's socket module has the same number here", {
  skip: python3.skip,
}, () => {
  const program = `
print(json.dumps({n: int(getattr(socket, n)) for n in dir(socket)
  if n.isupper() and isinstance(getattr(socket, n), int)}))`;
  const theirs = askPython(program) as Record<string, number>;
  assert.ok(Object.keys(theirs).length > 250);
  const different = Object.entries(theirs).filter(([name, value]) => table[name] !== value);
  assert.deepEqual(different, []);
});

test("every errno of CPython's errno module has the same number here", { skip: python3.skip }, () => {
  const program = "print(json.dumps({n: c for c, n in errno.errorcode.items()}))";
  const theirs = askPython(program) as Record<string, number>;
  const different = Object.entries(theirs).filter(([name, value]) => table[name] !== value);
  assert.deepEqual(different, []);
});

test("constants are numbers, and unsigned ones are not negative", () => {
  for (const [name, value] of Object.entries(table)) assert.ok(Number.isInteger(value), name);
  assert.equal(constants.INADDR_BROADCAST, 0xffffffff);
  assert.equal(constants.VMADDR_CID_ANY, 0xffffffff);
  assert.equal(constants.CAN_EFF_FLAG, 0x80000000);
});

test("native/constants.def and src/constants are what their source generates", () => {
  execFileSync(process.execPath, ["scripts/generate-constants.mjs", "--check"], { stdio: "pipe" });
});
