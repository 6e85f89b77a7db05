// activated-echo: what systemd passes to a service and hears from it. The service is started by systemd's own
// systemd-socket-activate, by a stand-in of a few lines, and alone; it is heard by CPython's datagram sockets, beside
// systemd's own systemd-notify.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AF_INET, AF_UNIX, SOCK_STREAM, create_connection, socket } from "berkeley";
import type { Socket } from "berkeley";
import { ROOT } from "../support/cli.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON, python } from "../support/python.ts";
import { ACTIVATE, ACTIVATE_SETTINGS } from "../support/systemd.ts";

const PROGRAM = `${ROOT}out/examples/activated-echo.js`;
const systemdNotify = requirePeer("systemd-notify");
const folder = mkdtempSync(join(tmpdir(), "berkeley-activated-"));
after(() => rmSync(folder, { recursive: true }));

/** Binds two sockets, passes them as descriptors 3 and 4 as systemd does, and becomes the program. */
const STAND_IN = `
import os
tcp = create_server(("127.0.0.1", 0))
unix = socket(AF_UNIX)
unix.bind(sys.argv[1])
unix.listen()
say("port", tcp.getsockname()[1])
# Both numbers must be free of either: they are moved out of the way first.
for fd, at in [(dup(tcp.fileno()), 3), (dup(unix.fileno()), 4)]: os.dup2(os.dup(fd), at + 40)
for at in 3, 4: os.dup2(at + 40, at); os.set_inheritable(at, True)
env = {**os.environ, "LISTEN_PID": str(os.getpid() + int(sys.argv[2])), "LISTEN_FDS": "2", "LISTEN_FDNAMES": sys.argv[3]}
os.execve(sys.argv[4], sys.argv[4:], env)
`;

/** Hears what services say, and prints each datagram with its line ends as commas. */
const LISTENER = `
s = socket(AF_UNIX, SOCK_DGRAM)
s.bind(("\\0" + sys.argv[1][1:]).encode() if sys.argv[1][0] == "@" else sys.argv[1])
say("bound")
while True: say("heard", s.recv(1000).decode().replace("\\n", ","))
`;

async function echoes(sock: Socket): Promise<void> {
  await sock.sendall("hello");
  assert.equal((await sock.recv(100)).toString(), "hello");
}

async function unixClient(path: string): Promise<Socket> {
  const sock = socket(AF_UNIX, SOCK_STREAM);
  await sock.connect(path);
  return sock;
}

/** Asks the service to stop, and waits until it has. */
async function stop(child: Child): Promise<void> {
  child.kill("SIGTERM");
  await child.succeeded();
}

test("activated-echo serves the sockets that systemd-socket-activate opened, by their names", {
  skip: ACTIVATE.skip,
}, async () => {
  const [one, other] = [join(folder, "one"), join(folder, "other")];
  await using service = start(ACTIVATE.path, [
    `--listen=${one}`,
    `--listen=${other}`,
    "--fdname=first:second",
    ...ACTIVATE_SETTINGS,
    process.execPath,
    PROGRAM,
  ]);
  await service.line(/Listening on .*other/, "stderr");
  using first = await unixClient(one);
  await echoes(first);
  using second = await unixClient(other);
  await echoes(second);
  await service.line(new RegExp(`^listening as first on ${one}\nlistening as second on ${other}\n`, "m"));
  for (const client of [first, second]) client.close();
  await stop(service);
});

test("activated-echo serves the descriptors from 3 on that are its own, TCP and Unix", {
  skip: PYTHON.skip,
}, async () => {
  const path = join(folder, "passed");
  await using service = python(STAND_IN, [path, 0, "web:", process.execPath, PROGRAM]);
  const [, port] = await service.line(/^port (\d+)$/m);
  await service.line(/^listening as web on \[? ?'?127\.0\.0\.1/m);
  using client = await create_connection(["127.0.0.1", Number(port)]);
  await echoes(client);
  using local = await unixClient(path);
  await echoes(local);
  for (const each of [client, local]) each.close();
  await stop(service);
});

test("activated-echo leaves alone what was passed to another process", { skip: PYTHON.skip }, async () => {
  await using service = python(STAND_IN, [
    join(folder, "foreign"),
    1,
    "x:y",
    process.execPath,
    PROGRAM,
    "127.0.0.1",
    0,
  ]);
  await service.line(/^listening as own on /m);
  await stop(service);
});

for (const [kind, name] of [
  ["a path", join(folder, "notify")],
  ["an abstract name", `@berkeley-notify-${process.pid}`],
] as const)
  test(`activated-echo tells that it is ready, alive and stopping at ${kind}, as systemd-notify does`, {
    skip: PYTHON.skip || systemdNotify.skip,
  }, async () => {
    await using listener = python(LISTENER, [name]);
    await listener.line(/^bound$/m);
    await using service = start(process.execPath, [PROGRAM, "127.0.0.1", "0"], {
      env: { NOTIFY_SOCKET: name, WATCHDOG_USEC: "20000", LISTEN_PID: undefined },
    });
    const ready = await listener.line(/^heard (READY=1,STATUS=serving 1 sockets,MAINPID=(\d+))$/m);
    assert.equal(ready[2], String(service.pid));
    await listener.line(/^heard WATCHDOG=1$/m);
    const [, port] = await service.line(/^listening as own on .*?(\d+) ?\]?$/m);
    using client = await create_connection(["127.0.0.1", Number(port)]);
    await echoes(client);
    service.kill("SIGTERM");
    await listener.line(/^heard STOPPING=1,STATUS=/m);
    await echoes(client);
    client.close();
    await service.succeeded();

    const said = ["--ready", "--status=serving 1 sockets", `--pid=${service.pid}`];
    await using reference = start(systemdNotify.path, said, { env: { NOTIFY_SOCKET: name } });
    await reference.exited;
    const [theirs] = await listener.line(
      /^heard READY=1,STATUS=serving 1 sockets,MAINPID=\d+$[^]*^heard READY=1.*$/m,
    );
    assert.equal(theirs.split("\n").at(-1), `heard ${ready[1]}`);
  });

test("activated-echo alone listens where it is told, and says nothing to nobody", async () => {
  await using service = start(process.execPath, [PROGRAM, "127.0.0.1", "0"], {
    env: { NOTIFY_SOCKET: undefined, LISTEN_PID: undefined },
  });
  const [, port] = await service.line(/^listening as own on .*?(\d+) ?\]?$/m);
  using client = socket(AF_INET, SOCK_STREAM);
  await client.connect(["127.0.0.1", Number(port)]);
  await echoes(client);
  client.close();
  await stop(service);
});
