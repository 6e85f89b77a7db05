import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { nodeConnect, nodeListen, readToEnd } from "../support/node-tcp.ts";
import { start } from "../support/process.ts";

const START = `${ROOT}scripts/start.mjs`;
const ANY = "tcp://127.0.0.1:0";

test("npm start -- --once talks to itself, prints both sides, and ends with 0", async () => {
  await using child = start(process.execPath, [START, "--once", ANY], { cwd: ROOT });
  const { stdout } = await child.succeeded();
  assert.match(stdout.toString(), /server {2}listening on tcp:\/\/127\.0\.0\.1:\d+\n/);
  assert.match(
    stdout.toString(),
    /client {2}sends: Hello, Berkeley!\n[^]*server .* sent 16 bytes: Hello, Berkeley!\n[^]*client {2}hears: Hello, Berkeley!\n/,
  );
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`npm start serves the reader's own client after its conversation, until ${signal}`, async () => {
    await using child = start(process.execPath, [START, ANY], { cwd: ROOT });
    const [, port] = await child.line(/Now you\.[^]*nc 127\.0\.0\.1 (\d+)\n/);
    const client = await nodeConnect(Number(port));
    client.end("my own words");
    assert.equal((await readToEnd(client)).toString(), "my own words");
    await child.line(/sent 12 bytes: my own words\n/);
    child.kill(signal);
    await child.succeeded();
  });

test("npm start says that the port is in use", async () => {
  await using other = await nodeListen();
  await using child = start(process.execPath, [START, `tcp://127.0.0.1:${other.port}`], { cwd: ROOT });
  const { code, stderr } = await child.exited;
  assert.match(stderr.toString(), /^berkeley: cannot listen on .*: the port is in use by another program/);
  assert.equal(code, 1);
});

test("npm start tells its usage and ends with 2 on an unknown option", async () => {
  await using child = start(process.execPath, [START, "--twice"], { cwd: ROOT });
  const { code, stderr } = await child.exited;
  assert.match(stderr.toString(), /^usage: npm start /);
  assert.equal(code, 2);
});
