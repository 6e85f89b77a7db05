// The pieces of docs/raw.md, run as they stand.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { test } from "node:test";
import { AF_ALG, SOCK_SEQPACKET, socket } from "berkeley";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";

/** Of each section its heading, and its piece. */
const pieces = readFileSync(`${ROOT}docs/raw.md`, "utf8")
  .split(/^## /m)
  .flatMap((section) => {
    const code = /^```js\n([^]*?)^```$/m.exec(section)?.[1];
    return code === undefined ? [] : [[section.slice(0, section.indexOf("\n")), code] as const];
  });
const root = process.getuid?.() === 0 ? false : "needs root, for raw and packet sockets";

function lackingAlg(): string | false {
  try {
    socket(AF_ALG, SOCK_SEQPACKET).close();
    return false;
  } catch (error) {
    return (error as Error).message;
  }
}

const EXPECTED: Readonly<Record<string, readonly [skip: string | false, output: RegExp]>> = {
  "A protocol of one's own over IP": [root, /^127\.0\.0\.1 253 hello\n$/],
  "Packets of an interface": [
    root,
    /^lo 2048 IP 127\.0\.0\.1\.\d+ > 127\.0\.0\.1\.50999: UDP, length 1\n0\n$/,
  ],
  Netlink: [false, new RegExp(`^(?:.*\n)*${Object.keys(networkInterfaces())[0] ?? "lo"}\n(?:.*\n)*$`)],
  "The kernel's cryptography": [
    lackingAlg(),
    /^ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n$/,
  ],
};

for (const [heading, [skip, output]] of Object.entries(EXPECTED))
  test(`docs/raw.md: ${heading}`, { skip }, async () => {
    const [, piece] = pieces.find(([title]) => title === heading) ?? [];
    assert.ok(piece !== undefined);
    // From the project's folder, so that "berkeley" is this one.
    await using child = start(process.execPath, ["--input-type=module", "--eval", piece], { cwd: ROOT });
    const { stderr, stdout } = await child.succeeded();
    assert.match(stdout.toString(), output);
    assert.equal(stderr.toString(), "");
  });

test("docs/raw.md has no other pieces", () => {
  assert.deepEqual(
    pieces.map(([title]) => title),
    Object.keys(EXPECTED),
  );
});
