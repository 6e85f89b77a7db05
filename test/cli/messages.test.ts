import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { AF_INET, socket } from "berkeley";
import { berkeley, ROOT, run } from "../support/cli.ts";
import { nodeListen } from "../support/node-tcp.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";

/** One message on standard error, nothing on standard output, and the exit status. */
async function fails(args: readonly string[], code: number, message: RegExp): Promise<void> {
  const exit = await run(args);
  assert.match(exit.stderr.toString(), message);
  assert.equal(exit.stdout.toString(), "");
  assert.equal(exit.code, code);
}

for (const command of ["echo", "listen"])
  test(`${command} says that the port is in use`, async () => {
    await using other = await nodeListen();
    const url = `tcp://127.0.0.1:${other.port}`;
    await fails(
      [command, url],
      1,
      new RegExp(`^berkeley: cannot listen on ${url}: the port is in use by another program .*\\n$`),
    );
  });

test("echo listens nowhere when one of its URLs cannot be listened on", async () => {
  await using other = await nodeListen();
  await fails(
    ["echo", "tcp://127.0.0.1:0", `tcp://127.0.0.1:${other.port}`],
    1,
    /^berkeley: cannot listen on .* in use/,
  );
});

test("connect says that nothing listens there", async () => {
  using bound = socket(AF_INET); // bound and not listening: nobody else gets this port meanwhile
  bound.bind(["127.0.0.1", 0]);
  const url = `tcp://127.0.0.1:${bound.getsockname()[1]}`;
  await fails(
    ["connect", url],
    1,
    new RegExp(`^berkeley: cannot connect to ${url}: connection refused: nothing listens there\\n$`),
  );
});

for (const command of ["connect", "listen", "echo"])
  test(`${command} says that a name does not resolve`, async () => {
    await fails(
      [command, "tcp://no-such-host.invalid:80"],
      1,
      /the name "no-such-host\.invalid" does not resolve/,
    );
  });

test("listen says that an address is not this machine's", async () => {
  await fails(["listen", "tcp://192.0.2.1:0"], 1, /192\.0\.2\.1 is not an address of this machine\n$/);
});

test("connect --timeout says that no answer came", async () => {
  // A full queue of connections: the kernel drops further attempts without an answer.
  using listener = socket(AF_INET);
  listener.bind(["127.0.0.1", 0]);
  listener.listen(0);
  const waiting = [socket(AF_INET), socket(AF_INET), socket(AF_INET)];
  const attempts = waiting.map((each) => each.connect(listener.getsockname()).catch(() => {}));
  await attempts[0];
  const { port } = { port: listener.getsockname()[1] };
  await fails(["connect", "--timeout", "0.3", `tcp://127.0.0.1:${port}`], 1, /: timed out: no answer\n$/);
  for (const each of waiting) each.close();
  await Promise.all(attempts);
});

const unprivilegedFrom = Number(readFileSync("/proc/sys/net/ipv4/ip_unprivileged_port_start", "utf8"));
const setpriv = requirePeer("setpriv");
const lowPort = unprivilegedFrom === 0 ? "net.ipv4.ip_unprivileged_port_start is 0" : setpriv.skip;

test("echo says which right a port below 1024 needs", { skip: lowPort }, async () => {
  const asNobody = process.getuid?.() === 0 ? ["--reuid=65534", "--clear-groups", "--bounding-set=-all"] : [];
  await using child = start(setpriv.path, [
    ...asNobody,
    process.execPath,
    `${ROOT}dist/cli/main.js`,
    "echo",
    "tcp://127.0.0.1:1",
  ]);
  const { code, stderr } = await child.exited;
  assert.match(
    stderr.toString(),
    /^berkeley: cannot listen on tcp:\/\/127\.0\.0\.1:1: ports below 1024 need root, .*\n$/,
  );
  assert.equal(code, 1);
});

const unshare = requirePeer("unshare");
const namespace = process.getuid?.() === 0 ? unshare.skip : "needs root: a network namespace of its own";

test("connect says that the network is unreachable", { skip: namespace }, async () => {
  const args = ["--net", process.execPath, `${ROOT}dist/cli/main.js`, "connect", "tcp://192.0.2.1:80"];
  await using child = start(unshare.path, args);
  const { code, stderr } = await child.exited;
  assert.match(
    stderr.toString(),
    /^berkeley: cannot connect to tcp:\/\/192\.0\.2\.1:80: network unreachable: .*\n$/,
  );
  assert.equal(code, 1);
});

const misuse: Readonly<Record<string, readonly [args: string[], message: RegExp]>> = {
  "what is no URL": [["connect", "localhost:80"], /^berkeley: "localhost:80" is not a URL: write it as tcp:/],
  "a bad URL among good ones": [
    ["echo", "tcp://:0", "tcp://x"],
    /^berkeley: "tcp:\/\/x": the port is missing/,
  ],
  "port 0 to connect to": [["connect", "tcp://localhost:0"], /^berkeley: nobody can be reached at port 0/],
  "no URL": [["connect"], /^berkeley: missing required argument 'URL'/],
  "two URLs": [["listen", "tcp://:0", "tcp://:0"], /^berkeley: too many arguments/],
  "an unknown option": [["echo", "--loud"], /^berkeley: unknown option '--loud'/],
  "an unknown command": [["shout"], /^berkeley: unknown command 'shout'/],
  "a timeout that is no number": [
    ["connect", "-w", "soon", "tcp://:1"],
    /^berkeley: --timeout is a number of seconds/,
  ],
  "a timeout of 0": [["connect", "-w", "0", "tcp://:1"], /^berkeley: --timeout is a number of seconds/],
  "no command": [[], /^Usage: berkeley/],
};

for (const [what, [args, message]] of Object.entries(misuse))
  test(`berkeley ends with 2 on ${what}`, () => fails(args, 2, message));

test("--version prints the package's version", async () => {
  const { version } = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")) as { version: string };
  const { code, stdout } = await run(["--version"]);
  assert.equal(stdout.toString(), `${version}\n`);
  assert.equal(code, 0);
});

test("--help tells the commands, the URLs and the exit statuses", async () => {
  const { code, stdout } = await run(["--help"]);
  for (const part of [
    /echo .*\[URL\.\.\.\]/,
    /connect .*<URL>/,
    /listen .*<URL>/,
    /tcp:\/\/\[::1\]:8888/,
    /^ {2}141/m,
  ])
    assert.match(stdout.toString(), part);
  assert.equal(code, 0);
});

for (const command of ["echo", "connect", "listen", "relay", "ping", "push"])
  test(`${command} --help tells its usage`, async () => {
    const { code, stdout } = await run([command, "--help"]);
    assert.match(stdout.toString(), new RegExp(`^Usage: berkeley ${command} `));
    assert.equal(code, 0);
  });

test("--version survives a reader of standard output that has gone", async () => {
  await using child = berkeley(["--help"]);
  child.stdout.destroy();
  const { signal, stderr } = await child.exited;
  assert.equal(signal, null);
  assert.doesNotMatch(stderr.toString(), /Unhandled|EPIPE/);
});
