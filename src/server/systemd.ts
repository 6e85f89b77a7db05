// Sockets that systemd opened before this program was started, and what a service tells systemd. The protocols are
// sd_listen_fds(3) and sd_notify(3): descriptors from 3 on with three environment variables, and datagrams to a Unix socket.

import { AF_UNIX, EINVAL, SOCK_DGRAM, SOCK_STREAM, SocketError, socket } from "../index.ts";
import type { Socket } from "../index.ts";
import { invalidArgument } from "../socket/errors.ts";
import { SocketListener } from "../stream/index.ts";
import { hasNoDelay } from "../stream/listener.ts";

/** SD_LISTEN_FDS_START: the first descriptor. */
const FIRST = 3;
/** More descriptors than any unit has; what the environment says is checked, not believed. */
const SOCKETS_MAX = 4096;

/** A socket with the name that its unit gives it. */
export interface NamedSocket {
  /** FileDescriptorName= of the .socket unit; systemd's default is the unit's name. "unknown" without any. */
  readonly name: string;
  readonly socket: Socket;
}

/** A listener, likewise. */
export interface NamedListener {
  readonly name: string;
  readonly listener: SocketListener;
}

const environment = (name: string): string | undefined => process.env[name];

/**
 * Takes the sockets that systemd passed, of every kind: listeners, datagram sockets. They belong to the caller, are
 * close-on-exec, and the variables are taken out of the environment, so that no child takes them for its own.
 *
 * @returns none: LISTEN_FDS is not set, or LISTEN_PID is another process.
 * @throws {SocketError} ENOTSOCK: a FIFO or the like was passed; EBADF: what the variables say is not so. Nothing was taken.
 * @throws {RangeError} ERR_LISTEN_FDS: the variables are no numbers.
 * @see sd_listen_fds(3), systemd.socket(5)
 */
export function socketsFromSystemd(): NamedSocket[] {
  const [pid, count, names] = ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"].map(environment);
  if (pid === undefined || count === undefined || pid !== String(process.pid)) return [];
  if (!/^\d{1,4}$/.test(count) || Number(count) > SOCKETS_MAX)
    throw Object.assign(new RangeError(`LISTEN_FDS is no number of descriptors: ${JSON.stringify(count)}`), {
      code: "ERR_LISTEN_FDS",
    });
  const named = names?.split(":") ?? [];
  const taken: NamedSocket[] = [];
  try {
    for (let at = 0; at < Number(count); at++)
      taken.push({
        name: named[at] ?? "unknown",
        socket: socket(undefined, undefined, undefined, { fileno: FIRST + at }),
      });
  } catch (error) {
    for (const { socket: each } of taken) each.detach();
    throw error;
  }
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID"])
    delete process.env[name];
  return taken;
}

/**
 * Takes the sockets that systemd passed, where all of them are listeners (ListenStream=): socketsFromSystemd() for serve().
 * TCP_NODELAY stays as the unit has it (NoDelay=). A Unix socket's file is systemd's and stays.
 *
 * @throws {SocketError} EINVAL: one is no listener for streams; what was taken is closed. Others as socketsFromSystemd().
 */
export function listenersFromSystemd(): NamedListener[] {
  const all = socketsFromSystemd();
  for (const { name, socket: each } of all)
    if (each.type !== SOCK_STREAM || !each.options.SO_ACCEPTCONN) {
      for (const one of all) one.socket.close();
      throw new SocketError("listen", -EINVAL, {
        hint: `socket ${JSON.stringify(name)} is no listener for streams`,
      });
    }
  return all.map(({ name, socket: each }) => ({
    name,
    listener: new SocketListener(each, { noDelay: hasNoDelay(each) }),
  }));
}

/**
 * Tells systemd of the service's state: `await sdNotify({ READY: 1, STATUS: "serving" })`. The unit has Type=notify.
 *
 * Of use are READY=1, RELOADING=1, STOPPING=1, STATUS=…, WATCHDOG=1, MAINPID=…, EXTEND_TIMEOUT_USEC=…
 *
 * @returns whether there was anybody to tell: NOTIFY_SOCKET is set.
 * @throws {SocketError} what sendto(2) says.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: a name that is none, or a value with a line's end or NUL, which would be another
 *   variable to systemd.
 * @see sd_notify(3)
 */
export async function sdNotify(state: Readonly<Record<string, string | number>>): Promise<boolean> {
  const lines = Object.entries(state).map(([name, value]) => {
    if (!/^[A-Z][A-Z0-9_]*$/.test(name)) throw invalidArgument("state", "variables in capital letters", name);
    const text = String(value);
    // oxlint-disable-next-line no-control-regex
    if (/[\0\n\r]/.test(text)) throw invalidArgument(`state.${name}`, "a text of one line", value);
    return `${name}=${text}\n`;
  });
  const where = environment("NOTIFY_SOCKET");
  if (where === undefined || where === "") return false;
  // "@name" is an abstract name; what else sd_notify knows (vsock:) is for virtual machines.
  const address = where.startsWith("@") ? Buffer.from(`\0${where.slice(1)}`) : where;
  await using sender = socket(AF_UNIX, SOCK_DGRAM);
  await sender.sendto(lines.join(""), address);
  return true;
}
