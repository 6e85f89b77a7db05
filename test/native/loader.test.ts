// Which binary the loader takes, as in the published package: one for this platform, from prebuilds/. In a program of its
// own, from a copy of the loader that has no build/ beside it.

import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ADDON } from "../support/addon.ts";
import { start } from "../support/process.ts";

const root = mkdtempSync(join(tmpdir(), "berkeley-loader-"));
after(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, "dist"));
writeFileSync(join(root, "package.json"), '{ "type": "module" }');
copyFileSync(fileURLToPath(import.meta.resolve("#dist/native.js")), join(root, "dist/native.js"));

/** Loads, and tells what it loaded or why not; and what was asked of the report. */
const PROGRAM = `
process.env.BERKELEY_ADDON = "";
const { getReport } = process.report;
process.report.getReport = (...args) => {
  console.log("without the network:", process.report.excludeNetwork);
  return getReport.apply(process.report, args);
};
try {
  const { native } = await import("./dist/native.js");
  console.log(typeof native.socket, process.report.excludeNetwork);
} catch ({ code, message }) {
  console.log(code, message);
}`;
writeFileSync(join(root, "program.js"), PROGRAM);

async function load(): Promise<string> {
  await using child = start(process.execPath, [join(root, "program.js")]);
  return (await child.succeeded()).stdout.toString();
}

test("without a binary the loader says where it looked and how to build one", async () => {
  assert.match(
    await load(),
    /^(without the network: true\n)?ERR_NO_ADDON berkeley: no binary for .* Looked for .*build.* and .*prebuilds.*npx node-gyp rebuild/s,
  );
});

test("the loader takes the binary for this platform, and asks nobody for the names of peers to know which", async () => {
  const [, folder] = /and (\S+)\/berkeley\.node/.exec(await load()) as unknown as [string, string];
  mkdirSync(folder, { recursive: true });
  symlinkSync(ADDON, join(folder, "berkeley.node"));
  const told = process.platform === "linux" ? "without the network: true\n" : "";
  assert.equal(await load(), `${told}function false\n`);
});
