// How `berkeley capture` ends: without the right, without an interface, when what it needs goes, with what the kernel dropped.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { addCapture } from "#dist/cli/capture.js";
import { describeFailure } from "#dist/cli/failure.js";
import { Command } from "commander";
import { capture, CAPTURE_SKIP as skip, COMMAND, linesIn, program, TRAFFIC } from "../support/capture.ts";
import { run } from "../support/cli.ts";
import { folder } from "../support/files.ts";
import { network } from "../support/namespace.ts";
import { requirePeer } from "../support/peers.ts";

const setpriv = requirePeer("setpriv");

test("capture ends with 1, its summary and a sound file when the interface goes", { skip }, async () => {
  await using where = await network("ip link add one type veth peer name two; ip link set one up");
  using files = folder();
  await using child = await capture(where, "-I", "one", "-w", files.path("gone"));
  await using removing = where.start("ip", ["link", "del", "one"]);
  await removing.succeeded();
  const { code, stderr } = await child.exited;
  assert.match(
    stderr.toString(),
    /\nberkeley: 0 packets captured, .*\nberkeley: one is down, or has gone\n$/,
  );
  assert.equal(code, 1);
  assert.deepEqual(await linesIn(files.path("gone")), []);
});

test("capture tells how many packets the kernel dropped while it was stopped", { skip }, async () => {
  await using here = await network();
  await using child = await capture(here, "-I", "lo", "-q", "-f", "udp port 50003", "-c", "1000000");
  child.kill("SIGSTOP");
  const flood = `
from socket import *
s = socket(AF_INET, SOCK_DGRAM)
for n in range(40000): s.sendto(bytes(1000), ("127.0.0.1", 50003))`;
  await program(here, flood);
  child.kill("SIGCONT");
  child.kill("SIGINT");
  const { stderr } = await child.exited;
  const [, captured, passed, dropped] = /(\d+) packets captured, (\d+) passed the filter, (\d+) dropped/.exec(
    stderr.toString(),
  ) as RegExpExecArray;
  assert.equal(passed, "40000");
  assert.ok(Number(dropped) > 0 && Number(captured) + Number(dropped) <= 40_000, stderr.toString());
});

test("capture without the right says in one sentence which it needs, and ends with 1", {
  skip: skip || setpriv.skip,
}, async () => {
  await using here = await network();
  await using child = here.start(setpriv.path, [
    "--bounding-set=-all",
    "--inh-caps=-all",
    process.execPath,
    ...COMMAND,
    "-I",
    "lo",
  ]);
  const { code, stderr, stdout } = await child.exited;
  assert.equal(
    stderr.toString(),
    "berkeley: cannot capture on lo: it needs root or the capability CAP_NET_RAW\n",
  );
  assert.equal(stdout.toString(), "");
  assert.equal(code, 1);
});

/** Asks the subcommand, without a process of its own, for what it refuses. */
async function refuses(args: readonly string[], message: RegExp, exitCode: number): Promise<void> {
  const command = new Command().exitOverride().configureOutput({ writeErr() {} });
  addCapture(command);
  await assert.rejects(command.parseAsync(["node", "berkeley", "capture", ...args]), (error) => {
    const described = describeFailure(error);
    assert.match(described.message, message);
    assert.equal(described.exitCode, exitCode);
    return true;
  });
}

test("capture says what is wrong with an interface and a filter before it begins", { skip }, async () => {
  await refuses(
    ["-I", "nosuch\x1b"],
    /^cannot capture on nosuch\\x1b: there is no interface nosuch\\x1b$/,
    1,
  );
  await refuses(["-f", "tcp port"], /^filter: .*, at character 9 of "tcp port"$/, 2);
  const ether = ["-f", "ether host 02:00:00:00:00:01"];
  await refuses(ether, /^filter: packets of all interfaces have no Ethernet header/, 2);
  await refuses(["-c", "0"], /--count is a whole number/, 2);
  await refuses(["-p"], /--promiscuous needs an --interface/, 2);
});

test("capture says when a file cannot be written, and begins nothing", { skip }, async () => {
  await using here = await network();
  await using child = here.start(process.execPath, [...COMMAND, "-w", "/nowhere/x"]);
  const { code, stderr } = await child.exited;
  assert.match(stderr.toString(), /^berkeley: cannot write to \/nowhere\/x: ENOENT: .*\n$/);
  assert.equal(code, 1);
});

test("capture ends with 141 when the reader of its lines has gone, and its file is sound", {
  skip,
}, async () => {
  await using here = await network();
  using files = folder();
  await using child = await capture(here, "-I", "lo", "-w", files.path("lines"));
  child.stdout.destroy();
  await once(child.stdout, "close");
  await program(here, TRAFFIC);
  const { code, stderr } = await child.exited;
  assert.equal(code, 141);
  assert.match(
    stderr.toString(),
    /^berkeley: capturing on lo; Ctrl-C ends it\n(?:berkeley: \d+ packets captured.*\n)?$/,
  );
  assert.ok((await linesIn(files.path("lines"))).length > 0);
});

test("capture --help tells its usage, its right and the language of its filters", async () => {
  const { code, stdout } = await run(["capture", "--help"]);
  for (const part of [/^Usage: berkeley capture /, /CAP_NET_RAW/, /tcp\s+port\s+80\s+and\s+host/, /pcapng/])
    assert.match(stdout.toString(), part);
  assert.equal(code, 0);
});
