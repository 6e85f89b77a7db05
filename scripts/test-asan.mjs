// Builds the addon with AddressSanitizer and UndefinedBehaviorSanitizer into out/asan/ and runs the suite on it. Uses
// the switches that Node's own build rules (common.gypi) have for this. Arguments go on to scripts/test.mjs.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = join(root, "out/asan");

/** Runs a command with our output; ends this process when it fails. */
function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"], ...options });
  if (error !== undefined) console.error(`test-asan: ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** Path of a runtime library of the compiler that built the addon. */
function runtime(name) {
  const path = spawnSync("gcc", [`-print-file-name=${name}`], { encoding: "utf8" }).stdout?.trim() ?? "";
  if (existsSync(path)) return path;
  console.error(`test-asan: gcc has no ${name}`);
  process.exit(1);
}

// node-gyp builds into build/ beside binding.gyp and nowhere else, so it gets a folder that looks like native/.
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const entry of readdirSync(join(root, "native"), { withFileTypes: true }))
  if (entry.isFile()) symlinkSync(join(root, "native", entry.name), join(folder, entry.name));
run("npm", ["exec", "--no", "--", "node-gyp", "rebuild", "--asan=1", "--ubsan=1", "--loglevel=warn"], {
  cwd: folder,
  env: { ...process.env, CFLAGS: "-g -fno-omit-frame-pointer -fno-sanitize-recover=all" },
});

// Leaks: Node ends without freeing everything that is its own. With stacks two frames deep a leak is named after who
// called malloc, so that every caller but the addon can be left out.
const suppressions = join(folder, "leaks.txt");
const others = [process.execPath, "/libc.so", "/libstdc++.so", "/ld-linux"];
writeFileSync(suppressions, others.map((name) => `leak:${name}\n`).join(""));

// The runtime must come first in a process that loads the addon: a Node that sees to that itself.
const node = join(folder, "node");
const preload = `${runtime("libasan.so")} ${runtime("libubsan.so")}`;
const child = pathToFileURL(join(root, "scripts/asan-child.mjs"));
writeFileSync(
  node,
  `#!/bin/sh\nLD_PRELOAD="${preload} $LD_PRELOAD" exec "${process.execPath}" "--import=${child}" "$@"\n`,
  { mode: 0o755 },
);

run(
  process.execPath,
  [join(root, "scripts/test.mjs"), "--library", `--node=${node}`, ...process.argv.slice(2)],
  {
    cwd: root,
    env: {
      ...process.env,
      BERKELEY_ADDON: join(folder, "build/Release/berkeley.node"),
      BERKELEY_ASAN_NODE: node,
      ASAN_OPTIONS: "detect_leaks=1:malloc_context_size=2:exitcode=99:detect_stack_use_after_return=1",
      LSAN_OPTIONS: `suppressions=${suppressions}:print_suppressions=0`,
      UBSAN_OPTIONS: "print_stacktrace=1",
    },
  },
);
