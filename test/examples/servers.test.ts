// The examples of servers, with real clients.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON, python } from "../support/python.ts";

/** Starts an example at a port that the system picks. */
async function example(name: string, ...args: string[]): Promise<Child & { readonly port: string }> {
  const child = start(process.execPath, [`${ROOT}out/examples/${name}.js`, ...args]);
  const [, port] = await child.line(/^listening on \S+ (\d+)$/m);
  return Object.assign(child, { port: port as string });
}

test("serve-lines answers CPython clients at once, and ends with its report at SIGTERM", {
  skip: PYTHON.skip,
}, async () => {
  await using server = await example("serve-lines", "127.0.0.1", "0");
  await using client = python(
    `
conns = [create_connection(("127.0.0.1", int(sys.argv[1]))) for n in range(20)]
for n, conn in enumerate(conns): conn.sendall(b"line %d\\nand a" % n)
for n, conn in enumerate(conns): assert conn.makefile("rb").readline() == b"LINE %d\\n" % n
conns[0].sendall(b"x" * 2000)
assert read_to_end(conns[0]) == b"too long\\n"
say("asked")
for conn in conns: assert read_to_end(conn) == b""
`,
    [server.port],
  );
  await client.line(/^asked$/m);
  server.kill("SIGTERM");
  const { stdout } = await server.succeeded();
  assert.match(stdout.toString(), /^served 20 of 20 connections, \d+ bytes$/m);
  await client.succeeded();
});
