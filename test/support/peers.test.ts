import assert from "node:assert/strict";
import test from "node:test";
import { requirePeer } from "./peers.ts";

/** Runs `body` with the environment variable CI set or absent, as if on a build machine or a laptop. */
function withCi(value: string | undefined, body: () => void): void {
  const before = process.env["CI"];
  if (value === undefined) delete process.env["CI"];
  else process.env["CI"] = value;
  try {
    body();
  } finally {
    if (before === undefined) delete process.env["CI"];
    else process.env["CI"] = before;
  }
}

test("requirePeer() returns the path and no reason to skip when the program is there", () => {
  assert.deepEqual(requirePeer("env"), { path: "/usr/bin/env", skip: false });
});

test("requirePeer() throws when the program is missing under CI", () => {
  withCi("true", () =>
    assert.throws(() => requirePeer("no-such-program"), /no-such-program is not installed/),
  );
});

test("requirePeer() gives the reason to skip, and prints it, when the program is missing elsewhere", (t) => {
  const warn = t.mock.method(console, "warn", () => {});
  withCi(undefined, () => {
    const reason = "no-such-program is not installed (scripts/peers.sh installs it)";
    assert.deepEqual(requirePeer("no-such-program"), { path: "", skip: reason });
    assert.deepEqual(warn.mock.calls[0]?.arguments, [`SKIPPED: ${reason}`]);
  });
});
