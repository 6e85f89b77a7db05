// Sockets of every kind that this machine has, for tables of tests: two ends of a stream, two sockets of datagrams with
// their addresses. Each is made with the names of one face, and is narrow in nothing.

import type { AnyAddress, Socket } from "berkeley";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  IPPROTO_MPTCP,
  IPPROTO_UDPLITE,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
} from "berkeley";
import type { Face } from "./faces.ts";

/** Two sockets that reach each other. Disposing closes both. */
export interface Ends extends Disposable {
  readonly a: Socket;
  readonly b: Socket;
}

/** Two sockets of datagrams; neither is connected. */
export interface Correspondents extends Ends {
  /** The addresses of `a` and `b`. */
  readonly from: AnyAddress;
  readonly to: AnyAddress;
}

function ends(a: Socket, b: Socket): Ends {
  return {
    a,
    b,
    [Symbol.dispose]() {
      a.close();
      b.close();
    },
  };
}

async function connected(face: Face, family: number, host: string, proto = 0): Promise<Ends> {
  using server = face.socket(family, face.SOCK_STREAM, proto);
  server.bind([host, 0]);
  server.listen(1);
  const a = face.socket(family, face.SOCK_STREAM, proto);
  await a.connect(server.getsockname());
  const [b] = await server.accept();
  return ends(a, b);
}

/** Two ends of a connection. */
export const STREAMS: Readonly<Record<string, (face: Face) => Promise<Ends>>> = {
  "TCP over IPv4": (face) => connected(face, AF_INET, "127.0.0.1"),
  "TCP over IPv6": (face) => connected(face, AF_INET6, "::1"),
  MPTCP: (face) => connected(face, AF_INET, "127.0.0.1", IPPROTO_MPTCP),
  "Unix stream": async (face) => ends(...face.socketpair()),
};

/** Two ends that keep the boundaries of messages. */
export const PACKETS: Readonly<Record<string, (face: Face) => Promise<Ends>>> = {
  "Unix datagram": async (face) => ends(...face.socketpair(AF_UNIX, SOCK_DGRAM)),
  "Unix seqpacket": async (face) => ends(...face.socketpair(AF_UNIX, SOCK_SEQPACKET)),
};

function correspondents(face: Face, family: number, name: AnyAddress, proto = 0): Correspondents {
  const [a, b] = [face.socket(family, SOCK_DGRAM, proto), face.socket(family, SOCK_DGRAM, proto)];
  for (const sock of [a, b]) sock.bind(name);
  return { ...ends(a, b), from: a.getsockname<AnyAddress>(), to: b.getsockname<AnyAddress>() };
}

/** Sockets of datagrams with addresses that the system picks. */
export const DATAGRAMS: Readonly<Record<string, (face: Face) => Correspondents>> = {
  "UDP over IPv4": (face) => correspondents(face, AF_INET, ["127.0.0.1", 0]),
  "UDP over IPv6": (face) => correspondents(face, AF_INET6, ["::1", 0]),
  "UDP-Lite over IPv4": (face) => correspondents(face, AF_INET, ["127.0.0.1", 0], IPPROTO_UDPLITE),
  "UDP-Lite over IPv6": (face) => correspondents(face, AF_INET6, ["::1", 0], IPPROTO_UDPLITE),
  "Unix datagram": (face) => correspondents(face, AF_UNIX, ""),
};

/** Why tests with a kind cannot run here: kernels are built without some of them. `false`: they can. */
export function missing(face: Face, kind: string): string | false {
  const [family, type, proto] =
    kind === "MPTCP"
      ? [AF_INET, face.SOCK_STREAM, IPPROTO_MPTCP]
      : [AF_INET, SOCK_DGRAM, kind.startsWith("UDP-Lite") ? IPPROTO_UDPLITE : 0];
  try {
    face.socket(family, type, proto).close();
    return false;
  } catch (error) {
    return `this kernel has no ${kind}: ${(error as Error).message}`;
  }
}
