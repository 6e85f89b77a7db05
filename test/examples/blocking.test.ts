// The examples that exist only with calls that block, and the one with a selector: against their Python twins, both ways.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON, python } from "../support/python.ts";

const languages = {
  TypeScript: (name: string, args: readonly string[]): Child =>
    start(process.execPath, [`${ROOT}out/examples/sync/${name}.js`, ...args]),
  Python: (name: string, args: readonly string[]): Child =>
    start(PYTHON.path, [`${ROOT}examples/sync/${name}.py`, ...args]),
};
const { skip } = PYTHON;

async function serve(child: Child): Promise<string[]> {
  const [, host, port] = await child.line(/^listening on (\S+) (\d+)$/m);
  return [host as string, port as string];
}

const lines = (text: Buffer): string[] => text.toString().trimEnd().split("\n");

for (const [serverLanguage, startServer] of Object.entries(languages))
  for (const [clientLanguage, startClient] of Object.entries(languages)) {
    const between = `between a ${serverLanguage} server and a ${clientLanguage} client`;

    test(`datagram-server answers each datagram, ${between}`, { skip }, async () => {
      await using server = startServer("datagram-server", ["127.0.0.1", "0"]);
      await using client = startClient("datagram-client", [...(await serve(server)), "one", "grüße", "bye"]);
      assert.deepEqual(lines((await client.succeeded()).stdout), [
        "received: ONE from 127.0.0.1",
        "received: GRÜSSE from 127.0.0.1",
        "received: BYE from 127.0.0.1",
      ]);
      const [, ...told] = lines((await server.succeeded()).stdout);
      assert.deepEqual(told, [
        "received: one from 127.0.0.1",
        "received: grüße from 127.0.0.1",
        "received: bye from 127.0.0.1",
      ]);
    });

    test(`line-server answers each line, ${between}`, { skip }, async () => {
      await using server = startServer("line-server", ["127.0.0.1", "0"]);
      await using client = startClient("line-client", [...(await serve(server)), "one", "grüße", ""]);
      assert.deepEqual(lines((await client.succeeded()).stdout), ["answer: 3", "answer: 5", "answer: 0"]);
      await server.succeeded();
    });
  }

for (const [language, startClient] of Object.entries(languages))
  test(`datagram-client in ${language} gives up when nobody answers`, { skip }, async () => {
    await using silent = python(`
s = socket(AF_INET, SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
say("listening on", *s.getsockname())
sys.stdin.read()`);
    await using client = startClient("datagram-client", [...(await serve(silent)), "hello"]);
    assert.deepEqual(lines((await client.succeeded()).stdout), ["no answer"]);
  });

const CLIENT = `
conns = [create_connection((sys.argv[1], int(sys.argv[2]))) for n in range(4)]
for turn in range(3):
    for n, conn in enumerate(conns): conn.sendall(b"%d of %d" % (turn, n))
    for n, conn in enumerate(conns): assert conn.recv(100) == b"%d of %d" % (turn, n)
for conn in conns:
    conn.shutdown(SHUT_WR)
    assert conn.recv(1) == b""
`;

test("threads serves as many CPython clients at once as it has threads", { skip }, async () => {
  await using server = languages.TypeScript("threads", ["127.0.0.1", "0", "4"]);
  const address = await serve(server);
  for (let time = 0; time < 2; time++) {
    await using client = python(CLIENT, address);
    await client.succeeded();
  }
  server.kill("SIGTERM");
  assert.equal((await server.exited).signal, "SIGTERM");
});

test("selectors-echo serves CPython clients at once, as the documentation's program does", {
  skip,
}, async () => {
  await using server = start(process.execPath, [`${ROOT}out/examples/selectors-echo.js`, "127.0.0.1", "0"]);
  await using client = python(CLIENT, await serve(server));
  await client.succeeded();
  await server.line(/(?:closing <Socket fd=\d+.*>\n.*){4}/s);
  const told = server.output().toString();
  assert.equal(told.match(/^accepted <Socket fd=/gm)?.length, 4);
  assert.equal(told.match(/^echoing \d of \d to <Socket/gm)?.length, 12);
});
