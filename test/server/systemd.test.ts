// Sockets from systemd and words to it. systemd is played by CPython: it passes descriptors from 3 on, says so in the
// environment, and listens at NOTIFY_SOCKET.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AF_UNIX, SOCK_DGRAM, SOCK_STREAM, socket } from "berkeley";
import { listenersFromSystemd, sdNotify, socketsFromSystemd } from "berkeley/server";
import { connectTcp, connectUnix } from "berkeley/stream";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON, python } from "../support/python.ts";
import { ACTIVATE, ACTIVATE_SETTINGS } from "../support/systemd.ts";
import { ask } from "./support.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-systemd-"));
after(() => rmSync(folder, { recursive: true }));
const { skip } = PYTHON;
const CHILD = fileURLToPath(new URL("./systemd-child.js", import.meta.url));

/** Passes what `sockets` says (a Python list) to a child in the way of sd_listen_fds(3). */
const MANAGER = `
import fcntl, os
sockets = eval(sys.argv[1])
if "create_server" in sys.argv[1]: say("port", sockets[0].getsockname()[1])
high = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 100) for s in sockets]
for at, fd in enumerate(high): os.dup2(fd, 3 + at, inheritable=True)
for key, value in eval(sys.argv[2]).items(): os.environ[key] = str(value)
os.execv(sys.argv[3], sys.argv[3:])
`;

function service(sockets: string, environment: string, ...args: string[]): Child {
  const env = { NODE_TEST_CONTEXT: undefined };
  return python(MANAGER, [sockets, environment, process.execPath, CHILD, ...args], { env });
}

const TCP = `[create_server(("127.0.0.1", 0))]`;

for (const where of ["path", "abstract name"])
  test(`a service takes its listener from systemd, and tells it when it is ready, at ${where === "path" ? "a" : "an"} ${where}`, {
    skip,
  }, async () => {
    const path = join(folder, `notify-${where}`);
    await using manager = socket(AF_UNIX, SOCK_DGRAM);
    manager.bind(where === "path" ? path : Buffer.from(`\0${path}`));
    const notify = where === "path" ? path : `@${path}`;
    const environment = `{"LISTEN_PID": os.getpid(), "LISTEN_FDS": 1, "LISTEN_FDNAMES": "web", "NOTIFY_SOCKET": ${JSON.stringify(notify)}}`;
    await using child = service(TCP, environment, "listeners");
    const [, port] = await child.line(/^port (\d+)$/m);
    await child.line(/^serving web$/m);
    assert.equal((await manager.recv(1000)).toString(), "READY=1\nSTATUS=serving ünder way\n");
    await child.line(/^told true$/m);
    const client = await connectTcp("127.0.0.1", Number(port));
    assert.equal(await ask(client, "hello"), "hello");
    client.close();
    child.stdin.end();
    await child.succeeded();
  });

test("a service that systemd-socket-activate starts takes its listener", {
  skip: ACTIVATE.skip,
}, async () => {
  const path = join(folder, "activated");
  const args = ["-l", path, "--fdname=web", ...ACTIVATE_SETTINGS, process.execPath, CHILD, "listeners"];
  await using child = start(ACTIVATE.path, args, { env: { NODE_TEST_CONTEXT: undefined } });
  await child.line(/^Listening on /m, "stderr");
  const client = await connectUnix(path); // which starts the service
  assert.equal(await ask(client, "hello"), "hello");
  await child.line(/^serving web$/m);
  client.close();
  child.stdin.end();
  await child.succeeded();
});

test("socketsFromSystemd() takes sockets of every kind, by name, once, and leaves nothing for children", {
  skip,
}, async () => {
  await using child = service(
    `[create_server(("127.0.0.1", 0)), socket(AF_INET, SOCK_DGRAM), socketpair()[0]]`,
    `{"LISTEN_PID": os.getpid(), "LISTEN_FDS": 3, "LISTEN_FDNAMES": "web:dns"}`,
    "sockets",
  );
  const { stdout } = await child.succeeded();
  const [, found, again] = stdout.toString().trim().split("\n");
  assert.deepEqual(JSON.parse(found as string), [
    ["web", SOCK_STREAM, false],
    ["dns", SOCK_DGRAM, false],
    ["unknown", SOCK_STREAM, false],
  ]);
  assert.equal(again, "again 0, left 0");
});

for (const [what, sockets, environment, expected] of [
  ["variables for another process", TCP, `{"LISTEN_PID": 1, "LISTEN_FDS": 1}`, /^none$/m],
  ["no variables", TCP, "{}", /^none$/m],
  [
    "a number that is none",
    TCP,
    `{"LISTEN_PID": os.getpid(), "LISTEN_FDS": "-1"}`,
    /^RangeError ERR_LISTEN_FDS /m,
  ],
  [
    "a datagram socket",
    "[socket(AF_INET, SOCK_DGRAM)]",
    `{"LISTEN_PID": os.getpid(), "LISTEN_FDS": 1, "LISTEN_FDNAMES": "x"}`,
    /^SocketError EINVAL .*socket "x" is no listener/m,
  ],
  [
    "a descriptor that is no socket",
    "[open('/dev/null')]",
    `{"LISTEN_PID": os.getpid(), "LISTEN_FDS": 1}`,
    /^SocketError ENOTSOCK /m,
  ],
] as const)
  test(`listenersFromSystemd() with ${what}`, { skip }, async () => {
    await using child = service(sockets, environment, "listeners");
    assert.match((await child.succeeded()).stdout.toString(), expected);
  });

test("listenersFromSystemd() and sdNotify() do nothing where there is no systemd", async () => {
  assert.deepEqual(listenersFromSystemd(), []);
  assert.deepEqual(socketsFromSystemd(), []);
  if (process.env["NOTIFY_SOCKET"] === undefined) assert.equal(await sdNotify({ READY: 1 }), false);
});

test("sdNotify() refuses what would be another variable", async () => {
  for (const state of [{ ready: 1 }, { "A=B": 1 }, { STATUS: "a\nREADY=1" }, { STATUS: "a\0b" }, { "": 1 }])
    await assert.rejects(sdNotify(state), { code: "ERR_INVALID_ARG_TYPE" }, JSON.stringify(state));
});
