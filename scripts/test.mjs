// Runs the test suite: lists the compiled tests itself (the globs of `node --test` differ between Node versions) and
// gives them to Node's own runner, a process per file. Knows no test; builds nothing.
//
//   node scripts/test.mjs [--node=BINARY] [--worker] [--library] [--timeout-ms=N] [part of a file name …]
//
// BERKELEY_TEST_NODE names another Node binary as --node does. --worker loads every file in a worker thread. --library,
// which --worker implies, leaves out the tests of programs (PROGRAMS), unless they are asked for by name.
// A test that was deleted in test/ is not run from an old out/: the list is made from the sources.

import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

/** Longest life of one test file; one that hangs is killed and fails. The longest take 30 s, ten times that on a loaded machine. */
const FILE_TIMEOUT_MS = 600_000;

/** Files at a time: most tests wait for other processes most of the time. */
const FILES_AT_A_TIME = 2 * availableParallelism();

/** Tests of programs: what they start has its own main thread, wherever the test is, and adds nothing to the library's. */
const PROGRAMS = ["test/bench/", "test/browser/", "test/cli/", "test/examples/"];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: "string", default: process.env.BERKELEY_TEST_NODE ?? process.execPath },
    worker: { type: "boolean", default: false },
    library: { type: "boolean", default: false },
    "timeout-ms": { type: "string", default: String(FILE_TIMEOUT_MS) },
  },
});

const compiled = readdirSync(join(root, "test"), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .filter((path) =>
    positionals.length === 0
      ? !(values.library || values.worker) || !PROGRAMS.some((folder) => path.startsWith(folder))
      : positionals.some((part) => path.includes(part)),
  )
  .map((path) => join(root, "out", path.replace(/\.ts$/, ".js")))
  .toSorted();
const unbuilt = compiled.filter((path) => !existsSync(path));
if (compiled.length === 0 || unbuilt.length > 0) {
  console.error(
    compiled.length === 0
      ? "test: no test files match"
      : `test: not built (npm run build): ${unbuilt.join(" ")}`,
  );
  process.exit(1);
}

const preload = values.worker ? [`--import=${pathToFileURL(join(root, "scripts/test-in-worker.mjs"))}`] : [];
const runner = spawn(
  values.node,
  [
    ...preload,
    "--test",
    `--test-concurrency=${FILES_AT_A_TIME}`,
    `--test-timeout=${values["timeout-ms"]}`,
    "--test-reporter=spec",
    ...compiled,
  ],
  { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => runner.kill(signal));
runner.on("error", (error) => {
  console.error(`test: ${values.node}: ${error.message}`);
  process.exit(1);
});
runner.on("exit", (code) => process.exit(code ?? 1));
