// Datagram sockets that several tests want: bound to loopback at a port that the system picks.

import { AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, socket, socketpair } from "berkeley";
import type { Address, Socket } from "berkeley";

/** A UDP socket at loopback. Use with `using`. */
export function udpAt(host = "127.0.0.1"): Socket {
  const sock = socket(host.includes(":") ? AF_INET6 : AF_INET, SOCK_DGRAM);
  sock.bind([host, 0]);
  return sock;
}

/** Two UDP sockets at loopback, each with its address. */
export function udpPair(
  host = "127.0.0.1",
): Disposable & { a: Socket; b: Socket; to: Address; from: Address } {
  const [a, b] = [udpAt(host), udpAt(host)];
  return {
    a,
    b,
    from: a.getsockname(),
    to: b.getsockname(),
    [Symbol.dispose](): void {
      a.close();
      b.close();
    },
  };
}

/** An address of this machine at which nobody receives. */
export function deadUdpAddress(host = "127.0.0.1"): Address {
  using sock = udpAt(host);
  return sock.getsockname();
}

/** Two connected Unix datagram sockets. */
export function unixPair(): Disposable & { a: Socket; b: Socket } {
  const [a, b] = socketpair(AF_UNIX, SOCK_DGRAM);
  return {
    a,
    b,
    [Symbol.dispose](): void {
      a.close();
      b.close();
    },
  };
}
