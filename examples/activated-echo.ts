// An echo server as a service of systemd: it takes the sockets that systemd has opened for it, and says when it is ready,
// when it stops, and that it is alive. Without systemd it opens a socket itself and says nothing.
//
//   systemd-socket-activate -l 127.0.0.1:8888 node activated-echo.js
//   node activated-echo.js [HOST [PORT]]
//
// LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, sd_listen_fds(3): descriptors from 3 on are sockets of this very process.
// NOTIFY_SOCKET, sd_notify(3): the path, or with "@" the abstract name, of a Unix datagram socket for "KEY=value" lines.
// WATCHDOG_USEC, sd_watchdog_enabled(3): within so many microseconds there must be a sign of life.
import { AF_UNIX, SOCK_DGRAM, create_server, socket } from "berkeley";
import type { Socket } from "berkeley";

const LISTEN_FDS_START = 3;
const { LISTEN_FDNAMES, LISTEN_FDS, LISTEN_PID, NOTIFY_SOCKET, WATCHDOG_USEC } = process.env;
// They were for this process, not for those that it starts.
for (const name of Object.keys(process.env))
  if (/^(LISTEN|NOTIFY|WATCHDOG)_/.test(name)) delete process.env[name];

/** The sockets that systemd passed, with their names. What each is, is asked of its descriptor. */
function passedSockets(): [name: string, server: Socket][] {
  if (Number(LISTEN_PID) !== process.pid) return [];
  const names = LISTEN_FDNAMES?.split(":") ?? [];
  return Array.from({ length: Number(LISTEN_FDS) }, (_, at) => {
    const server = socket(undefined, undefined, undefined, { fileno: LISTEN_FDS_START + at });
    return [names[at] ?? "unknown", server];
  });
}

async function notify(...lines: string[]): Promise<void> {
  if (NOTIFY_SOCKET === undefined) return;
  using sock = socket(AF_UNIX, SOCK_DGRAM);
  await sock.sendto(lines.join("\n"), NOTIFY_SOCKET.replace(/^@/, "\0"));
}

async function echo(conn: Socket): Promise<void> {
  using sock = conn;
  for (let data = await sock.recv(65_536); data.length > 0; data = await sock.recv(65_536))
    await sock.sendall(data);
}

const servers = passedSockets();
if (servers.length === 0)
  servers.push(["own", create_server([process.argv[2] ?? "127.0.0.1", Number(process.argv[3] ?? 8888)])]);

if (WATCHDOG_USEC !== undefined)
  setInterval(() => void notify("WATCHDOG=1"), Number(WATCHDOG_USEC) / 2000).unref(); // twice as often, in ms
process.once("SIGTERM", () => {
  for (const [, server] of servers) server.close();
  void notify("STOPPING=1", "STATUS=finishing with those that are here");
});
const accepting = servers.map(async ([, server]) => {
  for await (const [conn] of server) echo(conn).catch((error: unknown) => console.log("lost:", error));
});
for (const [name, server] of servers) console.log("listening as", name, "on", server.getsockname());
await notify("READY=1", `STATUS=serving ${servers.length} sockets`, `MAINPID=${process.pid}`);
await Promise.all(accepting);
