// `npm start`: builds what is not built yet, starts the echo server at its default address, has a first conversation with
// it, prints both sides, and stays for the reader's own client until Ctrl-C. With --once it ends after the conversation.
// A URL chooses another address.
//
//   npm start [-- [--once] [URL]]

import { spawnSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** When the newest of these files was written; 0 when there is none. */
function newest(folder, filter = /./) {
  try {
    const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && filter.test(entry.name));
    return Math.max(0, ...files.map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs));
  } catch (error) {
    if (error.code === "ENOENT") return 0;
    throw error;
  }
}

/** Runs one of the package's build scripts when what it makes is older than what it is made of. */
function buildIfNeeded(script, made, sources) {
  if (made > Math.max(...sources)) return;
  console.log(`building (npm run ${script}) …`);
  const { status } = spawnSync("npm", ["run", "--silent", script], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) process.exit(status ?? 1);
}

let once = false;
let url;
for (const argument of process.argv.slice(2))
  if (argument === "--once") once = true;
  else if (url === undefined && !argument.startsWith("-")) url = argument;
  else {
    console.error("usage: npm start [-- [--once] [URL]]");
    process.exit(2);
  }

buildIfNeeded("build:native", newest("native/build/Release", /^berkeley\.node$/), [
  newest("native", /\.(c|h|def|gyp)$/),
]);
buildIfNeeded("build:ts", newest("dist", /\.js$/), [newest("src", /\.ts$/)]);

const { startHere } = await import("../dist/cli/start.js");
process.exitCode = await startHere({ url, once });
