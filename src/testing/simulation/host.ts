// A simulated host as its kernel sees it: which ports are taken and by whom, who is reached at which address, and whether
// it is up. What sockets do with that, they know.

import { EADDRINUSE, EADDRNOTAVAIL } from "../../constants/index.ts";
import type { VirtualClock } from "./clock.ts";
import type { Path } from "./path.ts";
import type { SimulatedSocket } from "./socket.ts";
import type { StreamSocket } from "./stream-socket.ts";

/** A number for a host and a port. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The way to a host, and back. */
export interface Route {
  readonly host: HostState;
  readonly there: Path;
  readonly back: Path;
}

/** What sockets need of the network around their host. */
export interface Surroundings {
  readonly clock: VirtualClock;
  /** Bits that became true of a descriptor. */
  tell(fd: number, bits: number): void;
  /** The way from a host to an address; undefined: nobody has it. */
  route(from: HostState, address: string): Route | undefined;
}

/** ip(7): ip_local_port_range. */
const PORT_MIN = 32_768;
const PORT_MAX = 60_999;

const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Every address of the host, of one family. */
export function isWildcard(address: string): boolean {
  return WILDCARDS.has(address);
}

/** An address by which a host reaches itself. */
export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** One host. */
export class HostState {
  readonly name: string;
  readonly ipv4: string;
  readonly ipv6: string;
  readonly surroundings: Surroundings;
  up = true;
  /** Every socket that is not over, also those whose program has closed them. */
  readonly sockets: Set<SimulatedSocket> = new Set();
  /** Those that listen. */
  readonly listening: Set<StreamSocket> = new Set();
  /** Sockets by the port that they are bound to: a server has as many as it has clients. */
  readonly #byPort = new Map<number, Set<SimulatedSocket>>();
  #nextPort = PORT_MIN;

  constructor(name: string, ipv4: string, ipv6: string, surroundings: Surroundings) {
    this.name = name;
    this.ipv4 = ipv4;
    this.ipv6 = ipv6;
    this.surroundings = surroundings;
  }

  /** Whether the host answers at an address. */
  owns(address: string): boolean {
    return address === this.ipv4 || address === this.ipv6 || isLoopback(address);
  }

  /** The host's own address of the family of another one. */
  addressFor(other: string): string {
    if (isLoopback(other)) return other;
    return other.includes(":") ? this.ipv6 : this.ipv4;
  }

  /** A socket is bound to another port than before; undefined: to none. */
  place(socket: SimulatedSocket, before: number | undefined, now: number | undefined): void {
    if (before === now) return;
    if (before !== undefined) {
      const there = this.#byPort.get(before);
      there?.delete(socket);
      if (there?.size === 0) this.#byPort.delete(before);
    }
    if (now === undefined) return;
    const here = this.#byPort.get(now);
    if (here === undefined) this.#byPort.set(now, new Set([socket]));
    else here.add(socket);
  }

  /** A socket is over. */
  remove(socket: SimulatedSocket): void {
    this.sockets.delete(socket);
    this.place(socket, socket.local?.port, undefined);
  }

  /** Gives a socket its address. 0, or -errno. */
  bind(socket: SimulatedSocket, { host, port }: Endpoint): number {
    if (!isWildcard(host) && !this.owns(host)) return -EADDRNOTAVAIL;
    if (port !== 0) {
      if (this.#taken(socket, host, port)) return -EADDRINUSE;
      socket.local = { host, port };
      return 0;
    }
    for (let tried = PORT_MIN; tried <= PORT_MAX; tried++) {
      const free = this.#nextPort;
      this.#nextPort = free === PORT_MAX ? PORT_MIN : free + 1;
      if (this.#taken(undefined, host, free, socket.isStream)) continue;
      socket.local = { host, port: free };
      return 0;
    }
    return -EADDRINUSE;
  }

  /** Who listens there; of several, each in turn. */
  listenerAt({ host, port }: Endpoint): StreamSocket | undefined {
    const found = [...this.listening].filter(
      ({ held, listens, local }) => held && listens && local?.port === port && covers(local.host, host),
    );
    return found.toSorted((a, b) => a.taken - b.taken)[0];
  }

  /** The bound sockets of a kind that are reached at an address and port: those that are not over. */
  at(host: string, port: number, isStream: boolean): SimulatedSocket[] {
    return [...(this.#byPort.get(port) ?? [])].filter(
      ({ isStream: kind, local, held }) =>
        held && kind === isStream && local !== undefined && covers(local.host, host),
    );
  }

  #taken(
    asking: SimulatedSocket | undefined,
    host: string,
    port: number,
    isStream: boolean = asking?.isStream ?? true,
  ): boolean {
    for (const socket of this.#byPort.get(port) ?? []) {
      const { local } = socket;
      if (socket === asking || !socket.held || socket.isStream !== isStream || local === undefined) continue;
      if (!covers(local.host, host) && !covers(host, local.host)) continue;
      const shared =
        asking !== undefined &&
        ((asking.reusesPort && socket.reusesPort) ||
          (asking.reusesAddress && socket.reusesAddress && !socket.listens));
      if (!shared) return true;
    }
    return false;
  }
}

/** Whether a socket bound to `bound` is reached at `address`. */
function covers(bound: string, address: string): boolean {
  return bound === address || (isWildcard(bound) && bound.includes(":") === address.includes(":"));
}
