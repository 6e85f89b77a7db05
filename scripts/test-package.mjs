// Packs the package as `npm publish` would, installs it into an empty project with install scripts disabled, then from
// the lock file without a compiler, and uses it there: a TCP echo, the command, a type check. Also lints the tarball
// (publint, attw). Knows nothing of the checkout but its tools.

import { execFileSync } from "node:child_process";
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Longest life of one command; packing compiles. */
const RUN_MS = 300_000;

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const tool = (name) => join(root, "node_modules/.bin", name);
const temporary = mkdtempSync(join(tmpdir(), "berkeley-package-"));
const project = join(temporary, "project");

/** An environment in which nothing leads back to this checkout. */
const env = { ...process.env };
for (const name of ["BERKELEY_ADDON", "NODE_PATH", "NODE_OPTIONS", "NODE_TEST_CONTEXT"]) delete env[name];
for (const name of Object.keys(env))
  if (/^npm_(package|lifecycle|command|execpath)/.test(name)) delete env[name];

/** Runs a command; its output is returned, and its errors are shown. Throws when it fails, with its output. */
function run(command, args, cwd) {
  try {
    const stdio = ["ignore", "pipe", "inherit"];
    return execFileSync(command, args, { cwd, env, encoding: "utf8", stdio, timeout: RUN_MS });
  } catch (error) {
    throw new Error(
      `${command} ${args.join(" ")}: ${error.code ?? `exit code ${error.status}`}\n${error.stdout ?? ""}`,
      { cause: error },
    );
  }
}

const ECHO = `
import { AF_INET, SOCK_STREAM, socket } from "berkeley";
const listener = socket(AF_INET, SOCK_STREAM);
listener.bind(["127.0.0.1", 0]);
listener.listen();
const client = socket();
const [[server, address]] = await Promise.all([listener.accept(), client.connect(listener.getsockname())]);
if (address[1] !== client.getsockname()[1]) throw new Error("accept() gave another peer's address");
await client.sendall("hello");
await server.sendall(await server.recv(100));
console.log((await client.recv(100)).toString());
client.close();
server.close();
listener.close();
`;

const TYPES = `
import { type Address, Socket, SocketError, create_connection, socket } from "berkeley";
const listener: Socket = socket();
const received: Promise<Buffer> = listener.recv(10);
const accepted: Promise<[Socket, Address]> = listener.accept({ signal: AbortSignal.timeout(1) });
const connected: Promise<Socket> = create_connection(["127.0.0.1", 1]);
const code: string = new SocketError("recv", -1).code;
// @ts-expect-error A port is not an address.
listener.bind(8080);
export { accepted, code, connected, received };
`;

try {
  const packed = run("npm", ["pack", "--json", "--pack-destination", temporary], root);
  const [{ filename, files, size }] = JSON.parse(packed.slice(packed.search(/^\[/m)));
  const tarball = join(temporary, filename);
  console.log(`package: ${filename}, ${files.length} files, ${Math.ceil(size / 1024)} KiB`);
  const paths = files.map((file) => file.path);
  assert.ok(
    paths.some((path) => /^prebuilds\/[^/]+\/berkeley\.node$/.test(path)),
    "no binary in the tarball",
  );
  const strays = paths.filter((path) => /(^|\/)(node_modules|test|out|build|bench)\//.test(path));
  assert.deepEqual(strays, [], "files that nobody needs in the tarball");
  console.log(run(tool("publint"), ["run", "--strict", tarball], root).trim());
  console.log(
    run(
      tool("attw"),
      ["--profile", "esm-only", "--format", "ascii", "--no-summary", "--no-color", tarball],
      root,
    ).trim(),
  );

  mkdirSync(project);
  const types = JSON.parse(readFileSync(join(root, "node_modules/@types/node/package.json"), "utf8")).version;
  writeFileSync(join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
  run(
    "npm",
    [
      "install",
      "--ignore-scripts",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
      tarball,
      `@types/node@${types}`,
    ],
    project,
  );
  const lock = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
  const scripted = Object.entries(lock.packages).filter(([, entry]) => entry.hasInstallScript);
  assert.deepEqual(scripted, [], "something in the package wants to run at install");

  // From the lock file npm knows less than from the tarball, and builds whatever has a binding.gyp beside its package.json.
  env.CC = env.CXX = "false";
  run("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund"], project);

  writeFileSync(join(project, "echo.mjs"), ECHO);
  assert.equal(run(process.execPath, ["echo.mjs"], project), "hello\n");
  const version = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  assert.match(run(join(project, "node_modules/.bin/berkeley"), ["--version"], project), new RegExp(version));

  writeFileSync(join(project, "types.ts"), TYPES);
  const strict = [
    "--noEmit",
    "--strict",
    "--exactOptionalPropertyTypes",
    "--target",
    "es2022",
    "--module",
    "nodenext",
  ];
  run(tool("tsc"), [...strict, "--types", "node", "types.ts"], project);
  console.log(
    "package: installs without scripts and without a compiler, echoes, answers --version, type-checks",
  );
} catch (error) {
  console.error(`package: ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
