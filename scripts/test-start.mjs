// The README's first command as a reader sees it: `npm start` builds, has its first conversation, and stays up for a
// client of the reader's own (here: Node's) until Ctrl-C, which ends it. Fails when any of that takes too long.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const DEFAULT = { host: "127.0.0.1", port: 8888 };
const START_MS = 120_000; // It may have to compile the addon first.
const STEP_MS = 10_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
// A process group of its own: Ctrl-C reaches npm and what npm started, as it does in a terminal.
const npm = spawn("npm", ["start"], { cwd: root, detached: true, stdio: ["ignore", "pipe", "inherit"] });
const signal = (name) => {
  try {
    process.kill(-npm.pid, name);
  } catch (error) {
    if (error.code !== "ESRCH") throw error; // All of the group have ended.
  }
};
const ended = once(npm, "exit");
let output = "";
npm.stdout.setEncoding("utf8").on("data", (text) => {
  output += text;
  process.stdout.write(text);
});

/** Resolves as `promise` does; rejects when it takes too long, or when `npm start` ends meanwhile. */
async function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: not within ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const gone = ended.then(() => {
  throw new Error("npm start has ended by itself");
});
gone.catch(() => {});

async function invited() {
  while (!output.includes("Ctrl-C")) await once(npm.stdout, "data");
}

async function echo() {
  const client = connect(DEFAULT);
  await once(client, "connect");
  client.end("from the reader");
  let answer = "";
  for await (const chunk of client.setEncoding("utf8")) answer += chunk;
  if (answer !== "from the reader") throw new Error(`the echo server answered ${JSON.stringify(answer)}`);
}

try {
  await within(START_MS, "the first conversation", Promise.race([invited(), gone]));
  await within(STEP_MS, "an echo to another client", Promise.race([echo(), gone]));
  signal("SIGINT");
  await within(STEP_MS, "the end after Ctrl-C", ended);
  console.log("start: had its conversation, answered a client, ended on Ctrl-C");
} catch (error) {
  console.error(`start: ${error.message}`);
  process.exitCode = 1;
} finally {
  signal("SIGKILL");
}
