// Fails when a source file is longer than one job should need. Counts lines; judges nothing else.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const LINES_MAX = 400;

/** Files that may be longer, each with its reason. A file that is gone or short again must leave this list. */
const EXCEPTIONS = {};

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lines = new Map();
for (const folder of ["src", "native"])
  for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    if (entry.isFile() && /\.(ts|c|h)$/.test(entry.name)) {
      const path = join(entry.parentPath, entry.name);
      lines.set(relative(root, path), readFileSync(path, "utf8").split("\n").length - 1);
    }

const problems = [];
for (const [path, count] of lines)
  if (count > LINES_MAX && !(path in EXCEPTIONS)) problems.push(`${path}: ${count} lines, over ${LINES_MAX}`);
for (const path of Object.keys(EXCEPTIONS))
  if ((lines.get(path) ?? 0) <= LINES_MAX) problems.push(`${path}: needs no exception any more`);

for (const problem of problems) console.error(`file-length: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
