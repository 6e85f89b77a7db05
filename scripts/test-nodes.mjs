// Runs the suite on other Node versions than the one at hand (test/nodes/package.json names them): the current LTS and
// the newest. Fetches them from the registry when they are not there. Arguments go on to scripts/test.mjs.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "test/nodes");
const { optionalDependencies } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
const here = `-${process.platform}-${process.arch}`;
const nodes = Object.entries(optionalDependencies)
  .filter(([name]) => name.endsWith(here))
  .map(([name, version]) => ({
    path: join(folder, "node_modules", name, "bin/node"),
    version: version.split("@").at(-1),
  }));
if (nodes.length === 0) {
  console.error(`test-nodes: no Node for ${process.platform}-${process.arch} in test/nodes/package.json`);
  process.exit(1);
}

/** Runs a command with our input closed and our output; ends this process when it fails. */
function run(command, args, cwd) {
  const { status, error } = spawnSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });
  if (error !== undefined) console.error(`test-nodes: ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

const versionOf = (path) =>
  existsSync(path) ? spawnSync(path, ["--version"], { encoding: "utf8" }).stdout.trim() : undefined;
if (nodes.some(({ path, version }) => versionOf(path) !== `v${version}`))
  run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], folder);
for (const { path, version } of nodes) {
  console.log(`== Node ${version} ${process.argv.slice(2).join(" ")}`);
  run(process.execPath, [join(root, "scripts/test.mjs"), `--node=${path}`, ...process.argv.slice(2)], root);
}
