// The pieces of a page of docs/, run as they stand and held to what they print.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";

/** By heading: what its piece prints, and why it cannot run here. */
export type Expected = Readonly<Record<string, readonly [skip: string | false, output: RegExp]>>;

/** Runs the first piece of each section of a page that has one, and sees that `expected` knows them all. */
export function testPieces(page: string, expected: Expected): void {
  const pieces = readFileSync(`${ROOT}docs/${page}`, "utf8")
    .split(/^##? /m)
    .flatMap((section) => {
      const code = /^```[jt]s\n([^]*?)^```$/m.exec(section)?.[1];
      return code === undefined ? [] : [[section.slice(0, section.indexOf("\n")), code] as const];
    });

  for (const [heading, [skip, output]] of Object.entries(expected))
    test(`docs/${page}: ${heading}`, { skip }, async () => {
      const [, piece] = pieces.find(([title]) => title === heading) ?? [];
      assert.ok(piece !== undefined);
      // From the project's folder, so that "berkeley" is this one.
      await using child = start(process.execPath, ["--input-type=module", "--eval", piece], { cwd: ROOT });
      const { stderr, stdout } = await child.succeeded();
      assert.match(stdout.toString(), output);
      assert.equal(stderr.toString(), "");
    });

  test(`docs/${page} has no other pieces`, () => {
    assert.deepEqual(
      pieces.map(([title]) => title),
      Object.keys(expected),
    );
  });
}
