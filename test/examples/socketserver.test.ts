// The documentation's programs for socketserver against their Python twins, both ways.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

const languages = {
  TypeScript: (name: string, ...args: string[]): Child =>
    start(process.execPath, [`${ROOT}out/examples/${name}.js`, ...args]),
  Python: (name: string, ...args: string[]): Child =>
    start(PYTHON.path, [`${ROOT}examples/${name}.py`, ...args]),
};
const { skip } = PYTHON;

for (const [serverLanguage, startServer] of Object.entries(languages))
  for (const [server, client] of [
    ["socketserver-tcp", "socketserver-client"],
    ["socketserver-stream", "socketserver-client"],
    ["socketserver-udp", "socketserver-udp-client"],
  ] as const)
    test(`${server} in ${serverLanguage} serves clients in TypeScript and Python`, { skip }, async () => {
      await using serving = startServer(server, "127.0.0.1", "0");
      const [, host, port] = await serving.line(/^listening on (\S+) (\d+)$/m);
      for (const startClient of Object.values(languages)) {
        await using asking = startClient(client, host as string, port as string, "aber", "schön");
        const { stdout } = await asking.succeeded();
        assert.equal(stdout.toString(), `sent: aber schön\nreceived: ABER SCHÖN\n`);
      }
      await serving.line(/^received from 127\.0\.0\.1: aber schön\nreceived from 127\.0\.0\.1: aber schön$/m);
    });

for (const [language, run] of Object.entries(languages))
  test(`socketserver-threading in ${language} answers while a client is silent`, { skip }, async () => {
    await using child = run("socketserver-threading");
    const { stdout } = await child.succeeded();
    assert.deepEqual(
      stdout.toString(),
      [1, 2, 3].map((number) => `received: answer to Hello World ${number}\n`).join(""),
    );
  });
