// What every simulated socket has, whatever its type: a host, a descriptor, addresses, options, an error that waits to be
// told. How bytes move, stream-socket.ts and datagram-socket.ts know.

import {
  EADDRNOTAVAIL,
  EAFNOSUPPORT,
  EINVAL,
  ENOPROTOOPT,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_ACCEPTCONN,
  SO_DOMAIN,
  SO_ERROR,
  SO_LINGER,
  SO_PROTOCOL,
  SO_RCVBUF,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SO_SNDBUF,
  SO_TYPE,
} from "../../constants/index.ts";
import { isWildcard } from "./host.ts";
import type { Endpoint, HostState } from "./host.ts";

/** socket(7): rmem_default and wmem_default of Linux. */
const BUFFER_BYTES = 212_992;
/** socket(7): what SO_SNDBUF and SO_RCVBUF are never below. */
const BUFFER_BYTES_MIN = 4096;

/** Levels whose integers are kept and given back, and mean nothing here. */
const KEPT_LEVELS: ReadonlySet<number> = new Set([
  SOL_SOCKET,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
]);

/** What a receive takes and gives. */
export interface Received {
  /** Bytes that were written into the program's memory, or -errno. */
  readonly count: number;
  /** Who sent them, of datagrams. */
  readonly from?: Endpoint | undefined;
  /** Of a datagram: how long it was. */
  readonly whole?: number | undefined;
}

/** A socket of a simulated host. */
export abstract class SimulatedSocket {
  readonly host: HostState;
  readonly family: number;
  readonly proto: number;
  abstract readonly isStream: boolean;
  /** The program's number for it; -1 before accept() and after close(). */
  fd = -1;
  remote: Endpoint | undefined = undefined;
  sendBytesMax: number = BUFFER_BYTES;
  receiveBytesMax: number = BUFFER_BYTES;
  /** SO_LINGER with 0 seconds: close() resets. */
  abortive = false;
  /** Holds its port. */
  held = true;
  protected error = 0;
  #local: Endpoint | undefined = undefined;
  readonly #options = new Map<string, Uint8Array>();

  constructor(host: HostState, family: number, proto: number) {
    this.host = host;
    this.family = family;
    this.proto = proto;
    host.sockets.add(this);
  }

  get local(): Endpoint | undefined {
    return this.#local;
  }

  set local(endpoint: Endpoint | undefined) {
    this.host.place(this, this.#local?.port, endpoint?.port);
    this.#local = endpoint;
  }

  get listens(): boolean {
    return false;
  }

  get reusesAddress(): boolean {
    return this.#flag(SO_REUSEADDR);
  }

  get reusesPort(): boolean {
    return this.#flag(SO_REUSEPORT);
  }

  /** Readiness bits that are true now. */
  abstract ready(): number;
  abstract connect(to: Endpoint): number;
  /** Into `into`, with MSG_PEEK and MSG_TRUNC of `flags`. */
  abstract receive(into: Uint8Array, flags: number): Received;
  abstract send(bytes: Uint8Array, to: Endpoint | undefined): number;
  abstract shutdown(how: number): number;
  /** The program has closed it. */
  abstract close(): void;
  /** The host has gone down: nothing of it answers any more. */
  abstract crash(): void;

  bind(to: Endpoint): number {
    if (this.local !== undefined) return -EINVAL;
    return this.host.bind(this, to);
  }

  listen(backlog: number): number {
    void backlog;
    return -EINVAL;
  }

  accept(): SimulatedSocket | number {
    return -EINVAL;
  }

  /** Binds to a free port unless it is bound, with the host's address towards `to`. */
  protected bindFor(to: string): number {
    const address = this.host.addressFor(to);
    if (this.local === undefined) return this.bind({ host: address, port: 0 });
    if (isWildcard(this.local.host)) this.local = { host: address, port: this.local.port };
    return this.local.host.includes(":") === to.includes(":") ? 0 : -EADDRNOTAVAIL;
  }

  /** An accepted socket has its listener's options. */
  protected inherit(listener: SimulatedSocket): void {
    this.sendBytesMax = listener.sendBytesMax;
    this.receiveBytesMax = listener.receiveBytesMax;
    this.abortive = listener.abortive;
    for (const [key, value] of listener.#options) this.#options.set(key, value);
  }

  /** Tells whoever watches it. */
  protected tell(bits: number): void {
    if (this.fd >= 0) this.host.surroundings.tell(this.fd, bits);
  }

  /** The error that waits, which is told once: 0 or -errno. */
  takeError(): number {
    const { error } = this;
    this.error = 0;
    return error === 0 ? 0 : -error;
  }

  /** Bytes of an option, or -errno. */
  getOption(level: number, name: number): Uint8Array | number {
    if (level === SOL_SOCKET) {
      if (name === SO_ERROR) return word(-this.takeError());
      if (name === SO_TYPE) return word(this.isStream ? SOCK_STREAM : SOCK_DGRAM);
      if (name === SO_DOMAIN) return word(this.family);
      if (name === SO_PROTOCOL) return word(this.proto);
      if (name === SO_ACCEPTCONN) return word(this.listens ? 1 : 0);
      if (name === SO_SNDBUF) return word(this.sendBytesMax);
      if (name === SO_RCVBUF) return word(this.receiveBytesMax);
    }
    if (!KEPT_LEVELS.has(level)) return -ENOPROTOOPT;
    return this.#options.get(`${level} ${name}`) ?? word(0);
  }

  /** 0, or -errno. */
  setOption(level: number, name: number, value: Uint8Array): number {
    if (!KEPT_LEVELS.has(level)) return -ENOPROTOOPT;
    if (value.length < 4) return -EINVAL;
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const number = view.getInt32(0, true);
    if (level === SOL_SOCKET) {
      // socket(7): the kernel doubles what is asked.
      if (name === SO_SNDBUF) this.sendBytesMax = Math.max(BUFFER_BYTES_MIN, 2 * number);
      if (name === SO_RCVBUF) this.receiveBytesMax = Math.max(BUFFER_BYTES_MIN, 2 * number);
      if (name === SO_LINGER)
        this.abortive = number !== 0 && view.byteLength >= 8 && view.getInt32(4, true) === 0;
    }
    this.#options.set(`${level} ${name}`, Uint8Array.from(value));
    return 0;
  }

  #flag(name: number): boolean {
    return (this.#options.get(`${SOL_SOCKET} ${name}`)?.[0] ?? 0) !== 0;
  }
}

function word(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

/** An address of another family than the socket's is none for it. */
export function checkFamily(socket: SimulatedSocket, familyOfAddress: number): number {
  return socket.family === familyOfAddress ? 0 : -EAFNOSUPPORT;
}
