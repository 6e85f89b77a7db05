// Who is at the other end, in words that are safe to print. It asks the socket where the address says nothing; it opens
// and moves nothing.

import { AF_UNIX, SO_PEERCRED, SOL_SOCKET } from "../index.ts";
import type { Address, AnyAddress, Socket } from "../index.ts";
import { formatHostPort } from "./endpoint.ts";
import { renderBytes } from "./render.ts";

/** struct ucred of unix(7): pid, uid, gid. */
const CREDENTIALS_BYTES = 12;

/** Who connected: `127.0.0.1:4242`, `[::1]:80`; of a Unix socket, whose clients rarely have a name, `pid 4242`. */
export function describePeer(conn: Socket, address: AnyAddress): string {
  if (conn.family === AF_UNIX && isNameless(address) && SO_PEERCRED >= 0) {
    const pid = conn.getsockopt(SOL_SOCKET, SO_PEERCRED, CREDENTIALS_BYTES).readInt32LE(0);
    return `pid ${pid}`;
  }
  return describeSender(address);
}

/** Who sent a datagram: `127.0.0.1:4242`, `/run/client.sock`, `@abstract`, `a sender without a name`. */
export function describeSender(address: AnyAddress): string {
  if (isNameless(address)) return "a sender without a name";
  if (typeof address === "string") return renderBytes(Buffer.from(address));
  if (address instanceof Uint8Array)
    return address[0] === 0 ? `@${renderBytes(address.subarray(1))}` : renderBytes(address);
  const [host, port] = address as Address;
  return formatHostPort(host, port);
}

/** A Unix socket that is bound to nothing: nobody can answer it. */
export function isNameless(address: AnyAddress): boolean {
  return (typeof address === "string" || address instanceof Uint8Array) && address.length === 0;
}

/** The same text for the same address, and for no other. */
export function addressKey(address: AnyAddress): string {
  return address instanceof Uint8Array ? Buffer.from(address).toString("latin1") : JSON.stringify(address);
}
