// Each example against its Python twin, both ways, and against its own kind: all four must tell the same story.

import assert from "node:assert/strict";
import { hostname } from "node:os";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

const languages = {
  TypeScript: (name: string, args: readonly string[]): Child =>
    start(process.execPath, [`${ROOT}out/examples/${name}.js`, ...args]),
  "blocking TypeScript": (name: string, args: readonly string[]): Child =>
    start(process.execPath, [`${ROOT}out/examples/sync/${name}.js`, ...args]),
  Python: (name: string, args: readonly string[]): Child =>
    start(PYTHON.path, [`${ROOT}examples/${name}.py`, ...args]),
};

/** Starts an example's server at a port that the system picks. */
async function serve(child: Child): Promise<string[]> {
  const [, host, port] = await child.line(/^listening on (\S+) (\d+)$/m);
  return [host as string, port as string];
}

const lines = (text: Buffer): string[] => text.toString().trimEnd().split("\n");

for (const [serverLanguage, startServer] of Object.entries(languages))
  for (const [clientLanguage, startClient] of Object.entries(languages)) {
    const between = `between a ${serverLanguage} server and a ${clientLanguage} client`;
    const skip = PYTHON.skip;

    test(`echo-once returns one message and ends, ${between}`, { skip }, async () => {
      await using server = startServer("echo-once", ["127.0.0.1", "0"]);
      await using client = startClient("printing-client", await serve(server));
      assert.deepEqual(lines((await client.succeeded()).stdout), ["received: Hello, world"]);
      const [, ...told] = lines((await server.succeeded()).stdout);
      assert.deepEqual(told, ["connected: 127.0.0.1", "received: Hello, world"]);
    });

    test(`echo-loop serves one client after another, ${between}`, { skip }, async () => {
      await using server = startServer("echo-loop", ["127.0.0.1", "0"]);
      const address = await serve(server);
      for (const message of ["one", "grüße", "three"]) {
        await using client = startClient("printing-client", [...address, message]);
        assert.deepEqual(lines((await client.succeeded()).stdout), [`received: ${message}`]);
      }
      await server.line(/(?:connected: 127\.0\.0\.1\nended: 127\.0\.0\.1\n){3}/);
    });

    test(`answering-server answers each message of a connection that stays open, ${between}`, {
      skip,
    }, async () => {
      await using server = startServer("answering-server", ["127.0.0.1", "0"]);
      await using client = startClient("printing-client", [
        ...(await serve(server)),
        "hello",
        "again",
        "and again",
      ]);
      const expected = [
        "received: answer 1: HELLO",
        "received: answer 2: AGAIN",
        "received: answer 3: AND AGAIN",
      ];
      assert.deepEqual(lines((await client.succeeded()).stdout), expected);
      const [, ...told] = lines((await server.succeeded()).stdout);
      assert.deepEqual(told, [
        "connected: 127.0.0.1",
        "received: hello",
        "received: again",
        "received: and again",
      ]);
    });

    test(`greeting-server greets each client, ${between}`, { skip }, async () => {
      await using server = startServer("greeting-server", ["127.0.0.1", "0"]);
      const address = await serve(server);
      for (let visit = 0; visit < 2; visit++) {
        await using client = startClient("greeting-client", address);
        assert.deepEqual(lines((await client.succeeded()).stdout), [`welcome to ${hostname()}, 127.0.0.1`]);
      }
      await server.line(/(?:connected: 127\.0\.0\.1\n){2}/);
    });
  }
