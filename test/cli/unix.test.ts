// Unix sockets in the command: streams, packets and abstract names with CPython, nc, ncat and socat at the other end,
// and what becomes of paths.

import assert from "node:assert/strict";
import { existsSync, lstatSync, readdirSync, unlinkSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { AF_UNIX, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM, socket } from "berkeley";
import { berkeley, ROOT, run } from "../support/cli.ts";
import { folder } from "../support/files.ts";
import type { Folder } from "../support/files.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { python, PYTHON } from "../support/python.ts";

const nc = requirePeer("nc");
const ncat = requirePeer("ncat");
const socat = requirePeer("socat");
const setpriv = requirePeer("setpriv");

const question = "what is\nthe time?\n".repeat(5000);
const answer = "a quarter past\n".repeat(5000);
const TYPES = { unix: SOCK_STREAM, "unix-dgram": SOCK_DGRAM, "unix-seqpacket": SOCK_SEQPACKET } as const;
const LISTENING = /listening on \S+\n/;

const clients = {
  nc: { skip: nc.skip, args: (path: string) => [nc.path, "-N", "-U", path] },
  ncat: { skip: ncat.skip, args: (path: string) => [ncat.path, "-U", path] },
  socat: { skip: socat.skip, args: (path: string) => [socat.path, "-t10", "-", `UNIX-CONNECT:${path}`] },
};

for (const [name, { skip, args }] of Object.entries(clients))
  test(`listen unix:// speaks with ${name}, and leaves no path behind`, { skip }, async () => {
    using dir = folder();
    const path = dir.path("s");
    await using child = berkeley(["listen", `unix://${path}`], { input: answer });
    await child.line(LISTENING, "stderr");
    const [program = "", ...rest] = args(path);
    await using peer = start(program, rest, { input: question });
    assert.equal((await peer.succeeded()).stdout.toString(), answer);
    const { stdout, stderr } = await child.succeeded();
    assert.equal(stdout.toString(), question);
    assert.match(stderr.toString(), new RegExp(`pid ${peer.pid} connected\n`));
    assert.deepEqual(readdirSync(dir.path(".")), []);
  });

const servers = {
  nc: { skip: nc.skip, args: (path: string) => [nc.path, "-N", "-l", "-U", path] },
  ncat: { skip: ncat.skip, args: (path: string) => [ncat.path, "-l", "-U", path] },
  socat: { skip: socat.skip, args: (path: string) => [socat.path, "-t10", `UNIX-LISTEN:${path}`, "-"] },
};

/** Connecting again until a program of somebody else's listens: they do not say when. */
async function connectSoon(args: readonly string[], input: string): Promise<string> {
  for (;;) {
    const { code, stdout, stderr } = await run(args, { input });
    if (code === 0) return stdout.toString();
    assert.match(stderr.toString(), /no such path|connection refused/);
  }
}

for (const [name, { skip, args }] of Object.entries(servers))
  test(`connect unix:// speaks with ${name}`, { skip }, async () => {
    using dir = folder();
    const path = dir.path("s");
    const [program = "", ...rest] = args(path);
    await using peer = start(program, rest, { input: answer });
    assert.equal(await connectSoon(["connect", `unix://${path}`], question), answer);
    assert.equal((await peer.succeeded()).stdout.toString(), question);
  });

test("connect abstract:// and listen abstract:// speak with socat", { skip: socat.skip }, async () => {
  const name = `berkeley-test-${process.pid}`;
  await using child = berkeley(["listen", `abstract://${name}`], { input: answer });
  await child.line(LISTENING, "stderr");
  await using peer = start(socat.path, ["-t10", "-", `ABSTRACT-CONNECT:${name}`], { input: question });
  assert.equal((await peer.succeeded()).stdout.toString(), answer);
  assert.equal((await child.succeeded()).stdout.toString(), question);
  await using server = start(socat.path, ["-t10", `ABSTRACT-LISTEN:${name}`, "-"], { input: answer });
  assert.equal(await connectSoon(["connect", `abstract://${name}`], question), answer);
  assert.equal((await server.succeeded()).stdout.toString(), question);
});

for (const [scheme, prefix] of [
  ["unix-seqpacket", ""],
  ["abstract-seqpacket", "\\0"],
] as const)
  test(`connect ${scheme}:// sends each read as a packet, to CPython, until one side ends`, {
    skip: PYTHON.skip,
  }, async () => {
    using dir = folder();
    const name = dir.path("s");
    await using peer = python(
      `
server = socket(AF_UNIX, SOCK_SEQPACKET)
server.bind("${prefix}" + sys.argv[1])
server.listen()
say("listening")
conn, _ = server.accept()
while data := conn.recv(65536):
    say("packet", data.decode())
    conn.send(data.upper())`,
      [name],
    );
    await peer.line(/listening/);
    await using child = berkeley(["connect", `${scheme}://${name}`]);
    child.stdin.write("one");
    await child.bytes(3);
    child.stdin.end("two");
    assert.equal((await child.succeeded()).stdout.toString(), "ONETWO");
    assert.match((await peer.succeeded()).stdout.toString(), /packet one\npacket two\n/);
  });

test("echo unix-seqpacket:// returns a packet of CPython's whole", { skip: PYTHON.skip }, async () => {
  using dir = folder();
  await using child = berkeley(["echo", `unix-seqpacket://${dir.path("s")}`]);
  await child.line(LISTENING);
  await using peer = python(
    `
conn = socket(AF_UNIX, SOCK_SEQPACKET)
conn.connect(sys.argv[1])
for size in (1, 65536, 150000):
    conn.send(b"x" * size)
    say(len(conn.recv(262144)))`,
    [dir.path("s")],
  );
  assert.equal((await peer.succeeded()).stdout.toString(), "1\n65536\n150000\n");
  await child.line(new RegExp(`pid ${peer.pid} ended after 215537 bytes\n`));
});

/** What a server that was killed leaves: a path to which nothing is bound. */
function leaveDead(dir: Folder, type: number): string {
  const path = dir.path("s");
  using dead = socket(AF_UNIX, type);
  dead.bind(path);
  return path;
}

for (const [scheme, type] of Object.entries(TYPES)) {
  test(`listen ${scheme}:// takes the place of a dead program`, async () => {
    using dir = folder();
    const path = leaveDead(dir, type);
    await using child = berkeley(["listen", "-q", "0.1", `${scheme}://${path}`], { input: "hello" });
    await child.line(LISTENING, "stderr");
    assert.ok(lstatSync(path).isSocket());
    await using peer = berkeley(["connect", `${scheme}://${path}`]);
    peer.stdin.write("hi");
    await child.bytes(2);
    await peer.bytes(5);
    peer.stdin.end();
    await child.succeeded();
    await peer.succeeded();
    assert.deepEqual(readdirSync(dir.path(".")), []);
  });

  test(`echo says of ${scheme}:// that a living program listens there, and leaves it alone`, async () => {
    using dir = folder();
    const path = dir.path("s");
    using living = socket(AF_UNIX, type); // bound, and of those that may listen not listening yet
    living.bind(path);
    for (const other of Object.keys(TYPES)) {
      const { code, stderr } = await run(["echo", `${other}://${path}`]);
      assert.match(stderr.toString(), /^berkeley: cannot listen on .*: another program listens there/);
      assert.equal(code, 1);
    }
    assert.ok(lstatSync(path).isSocket());
  });
}

test("listen leaves a file alone that is no socket, and says so", async () => {
  using dir = folder();
  writeFileSync(dir.path("s"), "mine");
  const { code, stderr } = await run(["listen", `unix:${dir.path("s")}`]);
  assert.match(stderr.toString(), /: a file that is no socket is there, and it is left alone\n$/);
  assert.equal(code, 1);
  assert.ok(existsSync(dir.path("s")));
});

test("echo removes its paths when it is told to stop", async () => {
  using dir = folder();
  const urls = Object.keys(TYPES).map((scheme) => `${scheme}://${dir.path(scheme)}`);
  await using child = berkeley(["echo", ...urls]);
  await child.line(/(?:listening on .*\n){3}/);
  assert.equal(readdirSync(dir.path(".")).length, 3);
  child.kill("SIGTERM");
  await child.succeeded();
  assert.deepEqual(readdirSync(dir.path(".")), []);
});

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
  test(`listen dies of ${signal}, and removes its path first`, async () => {
    using dir = folder();
    await using child = berkeley(["listen", `unix-dgram://${dir.path("s")}`]);
    await child.line(LISTENING, "stderr");
    child.kill(signal);
    assert.equal((await child.exited).signal, signal);
    assert.deepEqual(readdirSync(dir.path(".")), []);
  });

test("echo leaves a path alone that has become another program's", async () => {
  using dir = folder();
  const path = dir.path("s");
  await using child = berkeley(["echo", `unix://${path}`]);
  await child.line(LISTENING);
  unlinkSync(path);
  using other = socket(AF_UNIX);
  other.bind(path);
  child.kill("SIGINT");
  await child.succeeded();
  assert.ok(existsSync(path));
});

const failures: Readonly<Record<string, readonly [command: string, url: string, message: RegExp]>> = {
  "no such path": ["connect", "unix://none", /: no such path: nothing listens there\n$/],
  "no such path for datagrams": ["connect", "unix-dgram://none", /: no such path/],
  "a dead path": ["connect", "unix://dead", /: connection refused: .* its program has gone and left it\n$/],
  "a socket of another type": ["connect", "unix-seqpacket://live", /: what listens there is of another type/],
  "an abstract name of nobody's": ["connect", "abstract://berkeley-none", /: connection refused/],
  "no such directory": ["listen", "unix://no/s", /: there is no directory no\n$/],
  "a file for a directory": ["listen", "unix://file/s", /: file is not a directory\n$/],
};

for (const [what, [command, url, message]] of Object.entries(failures))
  test(`${command} says in a sentence that there is ${what}, and ends with 1`, async () => {
    using dir = folder();
    using dead = socket(AF_UNIX);
    dead.bind(dir.path("dead"));
    dead.close();
    using live = socket(AF_UNIX, SOCK_DGRAM);
    live.bind(dir.path("live"));
    writeFileSync(dir.path("file"), "");
    const { code, stderr, stdout } = await run([command, url], { cwd: dir.path(".") });
    assert.match(stderr.toString(), /^berkeley: cannot [^\n]*\n$/);
    assert.match(stderr.toString(), message);
    assert.equal(stdout.toString(), "");
    assert.equal(code, 1);
  });

test("connect --timeout says that the queue of a Unix socket stayed full", async () => {
  using dir = folder();
  using listener = socket(AF_UNIX);
  listener.bind(dir.path("s"));
  listener.listen(0);
  using first = socket(AF_UNIX);
  await first.connect(dir.path("s")); // nobody accepts it
  const { code, stderr } = await run(["connect", "-w", "0.3", `unix://${dir.path("s")}`]);
  assert.match(stderr.toString(), /: timed out: the queue of connections there is full\n$/);
  assert.equal(code, 1);
});

test("listen ends with 2 on a path that is too long", async () => {
  const { code, stderr } = await run(["listen", `unix:/${"p".repeat(107)}`]);
  assert.match(stderr.toString(), /the path has 108 bytes, and a Unix socket's has 107 at most\n$/);
  assert.equal(code, 2);
});

const root = process.getuid?.() === 0 ? setpriv.skip : "needs root: to become nobody";

test("connect and listen say that a path's permission is missing", { skip: root }, async () => {
  using dir = folder(); // root's, mode 0700: nobody may not look into it
  using live = socket(AF_UNIX);
  live.bind(dir.path("s"));
  live.listen();
  for (const [command, message] of [
    ["connect", /: no permission: to connect is to write to the path\n$/],
    ["listen", /: no permission to make a file in \S*\/berkeley-\w+\n$/],
  ] as const) {
    const asNobody = ["--reuid=65534", "--clear-groups", "--bounding-set=-all", process.execPath];
    const args = [...asNobody, `${ROOT}dist/cli/main.js`, command, `unix://${dir.path("s")}`];
    await using child = start(setpriv.path, args, { input: "" });
    const { code, stderr } = await child.exited;
    assert.match(stderr.toString(), message);
    assert.equal(code, 1);
  }
});
