// A peer that has gone is an error and no signal, also when the program's own listener has undone that Node ignores
// SIGPIPE. The sends are in a program of its own, which such a signal would end.

import assert from "node:assert/strict";
import { test } from "node:test";
import { program } from "../support/program.ts";

test("sends to a peer that has gone fail with EPIPE and raise no SIGPIPE, in either face", async () => {
  await using child = program(import.meta.url, "sigpipe-child");
  const { signal, stdout } = await child.exited;
  assert.equal(signal, null);
  assert.equal(
    stdout.toString(),
    [
      "send",
      "sendall",
      "sendto",
      "sendmsg",
      "relay",
      "relay of streams",
      "sendfile",
      "sync sendfile",
      "sync send",
    ]
      .map((call) => `${call} EPIPE\n`)
      .join(""),
  );
});
