// The tests of CPython's socket and selectors modules in groups, and which test files here hold the same promises. The
// numbers are those of CPython 3.11's test methods, inherited ones too, by class. A file belongs to one group.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const GROUPS = [
  {
    name: "the module: numbers, names, options, making and closing",
    classes: { GeneralModuleTests: 74, CmsgMacroTests: 2, TestExceptions: 2 },
    files: ["test/names/constants.test.ts"],
  },
];

/** The number of CPython's tests in a group. */
export const theirCount = (group) =>
  Object.values(GROUPS.find(({ name }) => name === group).classes).reduce((sum, count) => sum + count, 0);

/** Runs the files of all groups: group → how many tests passed. @throws when one fails */
export function countsOf(root) {
  const files = GROUPS.flatMap((group) => group.files);
  const reporter = fileURLToPath(new URL("count-reporter.mjs", import.meta.url));
  const compiled = files.map((file) => join(root, "out", file.replace(/\.ts$/, ".js")));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--test", `--test-reporter=${reporter}`, ...compiled],
    { cwd: root, maxBuffer: 64 << 20, encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`parity: tests failed\n${stdout}${stderr}`);
  const passed = new Map(compiled.map((path) => [path, 0]));
  for (const path of stdout.trim().split("\n")) passed.set(path, passed.get(path) + 1);
  return new Map(
    GROUPS.map((group) => [
      group.name,
      group.files.reduce((sum, file) => sum + passed.get(compiled[files.indexOf(file)]), 0),
    ]),
  );
}
