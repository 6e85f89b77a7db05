// The layering rule of ARCHITECTURE.md, checked: a file in src/ imports from its own folder and from layers below it,
// nothing else. Reads import statements only; knows nothing of what the files do.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** From the bottom up. A name is a folder of src/, or a file of src/ without its ending. */
const LAYERS = [
  ["wire"], // pure pieces: they stand on nothing, so that everybody may use them
  ["native"],
  ["constants"],
  ["engine"],
  ["socket", "sync", "selectors"],
  ["index"],
  ["stream"],
  ["server", "tls", "testing"],
  ["packet"],
  ["http", "websocket", "ftp", "smtp", "pop3", "imap", "nntp", "telnet", "gopher", "xmlrpc"],
  ["cli", "inspector"],
];

/** Neighbours in one layer that may be imported, each with its reason. */
const SIDEWAYS = {
  sync: ["socket"], // the same names, addresses and errors, without waiting
  selectors: ["socket"], // its errors and its descriptors
  websocket: ["http"], // opens with an HTTP request (RFC 6455 section 4)
  xmlrpc: ["http"], // is carried by HTTP
};

/** Files that do no input or output, wherever they lie: the half of a protocol that is fed bytes and gives events. */
const PURE_FOLDERS = ["wire/", "packet/", "server/proxy-protocol/"];
const PURE_FILES = ["socket/address/text.ts", "socket/address/types.ts", "socket/address/view.ts"];
const isPure = (path) =>
  PURE_FOLDERS.some((folder) => path.startsWith(folder)) ||
  PURE_FILES.includes(path) ||
  /(^|\/)(events|parser|writer|state)\.ts$|\/syntax\//.test(path);
// node:crypto: digests and random bytes, which WebSocket's handshake and masking are made of.
const PURE_BUILTINS = ["node:buffer", "node:crypto", "node:string_decoder", "node:util"];
/** Of what else is in the runtime a pure file may have one module, for a function that does no input or output. */
const PURE_EXCEPTIONS = { "wire/shared-memory.ts": "node:worker_threads" }; // markAsUntransferable

/** Layers that may use packages from the registry; everything below stands on Node alone. */
const MAY_USE_PACKAGES = ["cli", "inspector"];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const IMPORT =
  /^\s*(?:import|export)\s(?:[^"';]*?\sfrom\s*)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|\brequire\(\s*"([^"]+)"\s*\)/gm;

const files = (folder) =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.parentPath.includes("node_modules"),
    )
    .map((entry) => relative(join(root, folder), join(entry.parentPath, entry.name)));
const importsOf = (path) =>
  [...readFileSync(path, "utf8").matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3]);
const unitOf = (path) => path.split("/")[0].replace(/\.ts$/, "");
const levelOf = (unit) => LAYERS.findIndex((layer) => layer.includes(unit));

/** Why `from` (a path in src/) may not import `specifier`; undefined when it may. */
function objection(from, specifier) {
  const unit = unitOf(from);
  if (specifier.startsWith("node:"))
    return isPure(from) && !PURE_BUILTINS.includes(specifier) && PURE_EXCEPTIONS[from] !== specifier
      ? "does no input or output"
      : undefined;
  if (!specifier.startsWith("."))
    return MAY_USE_PACKAGES.includes(unit) ? undefined : "uses no package from the registry";
  const target = join(dirname(from), specifier);
  if (target.startsWith("..")) return "stays inside src/";
  if (isPure(from) && !isPure(target)) return "imports only files that do no input or output";
  const to = unitOf(target);
  if (levelOf(to) === -1) return `knows no layer "${to}" (add it to scripts/layers.mjs and ARCHITECTURE.md)`;
  if (to === unit || levelOf(to) < levelOf(unit) || SIDEWAYS[unit]?.includes(to)) return undefined;
  return `lies below or beside ${to}/`;
}

const problems = [];
for (const from of files("src")) {
  if (levelOf(unitOf(from)) === -1) problems.push(`src/${from}: belongs to no layer (scripts/layers.mjs)`);
  for (const specifier of importsOf(join(root, "src", from))) {
    const reason = objection(from, specifier);
    if (reason !== undefined)
      problems.push(`src/${from}: imports "${specifier}", but ${unitOf(from)} ${reason}`);
  }
}
// Tests, examples and benchmarks use the package by its name, as its users do.
for (const folder of ["test", "examples", "bench"])
  for (const from of files(folder))
    for (const specifier of importsOf(join(root, folder, from)))
      if (specifier.startsWith(".") && join(folder, dirname(from), specifier).startsWith("src/"))
        problems.push(`${folder}/${from}: imports "${specifier}"; import "berkeley" instead`);

for (const problem of problems) console.error(`layers: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
