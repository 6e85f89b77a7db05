// A simulated datagram socket: what arrives waits in a queue with its sender, what finds no room is lost, and what finds
// nobody is told to a sender that is connected.

import {
  EAGAIN,
  ECONNREFUSED,
  EDESTADDRREQ,
  EMSGSIZE,
  ENETDOWN,
  ENETUNREACH,
  ENOTCONN,
  MSG_PEEK,
  SHUT_RD,
  SHUT_RDWR,
} from "../../constants/index.ts";
import { END, READ, WRITE } from "../../engine/descriptor.ts";
import type { Endpoint } from "./host.ts";
import { SimulatedSocket } from "./socket.ts";
import type { Received } from "./socket.ts";

/** udp(7): what IPv4 leaves of 65,535 bytes behind its own header and UDP's. */
const DATAGRAM_BYTES_MAX = 65_507;
/** Headers of IP and UDP. */
const HEADER_BYTES = 28;
/** What a waiting datagram takes of SO_RCVBUF besides its bytes, about as on Linux. */
const OVERHEAD_BYTES = 256;

interface Datagram {
  readonly bytes: Buffer;
  readonly from: Endpoint;
}

/** A UDP socket. */
export class DatagramSocket extends SimulatedSocket {
  readonly isStream = false;
  #queue: Datagram[] = [];
  #queuedBytes = 0;
  #ended = false;
  #down = false;

  ready(): number {
    const some = this.#queue.length > 0 || this.error !== 0 || this.#ended;
    return WRITE | (some ? READ : 0) | (this.error !== 0 || this.#ended ? END : 0);
  }

  connect(to: Endpoint): number {
    if (this.#down || !this.host.up) return -ENETDOWN;
    if (this.host.surroundings.route(this.host, to.host) === undefined) return -ENETUNREACH;
    const bound = this.bindFor(to.host);
    if (bound < 0) return bound;
    this.remote = to;
    return 0;
  }

  /** connect(2) with AF_UNSPEC. */
  disconnect(): void {
    this.remote = undefined;
  }

  send(bytes: Uint8Array, to: Endpoint | undefined = this.remote): number {
    if (this.#down || !this.host.up) return -ENETDOWN;
    const error = this.takeError();
    if (error < 0) return error;
    if (to === undefined) return -EDESTADDRREQ;
    if (bytes.length > DATAGRAM_BYTES_MAX) return -EMSGSIZE;
    const { surroundings } = this.host;
    const route = surroundings.route(this.host, to.host);
    if (route === undefined) return -ENETUNREACH;
    const bound = this.local === undefined ? this.bindFor(to.host) : 0;
    if (bound < 0) return bound;
    const from = { host: this.host.addressFor(to.host), port: (this.local as Endpoint).port };
    const copy = Buffer.from(bytes);
    route.there.datagram(HEADER_BYTES + copy.length, () => {
      if (!route.host.up) return;
      const takers = route.host.at(to.host, to.port, false) as DatagramSocket[];
      const taker = takers.find((socket) => socket.#takes(from));
      if (taker !== undefined) taker.#arrive({ bytes: copy, from });
      else route.back.datagram(HEADER_BYTES, () => this.#refused(to));
    });
    return copy.length;
  }

  receive(into: Uint8Array, flags: number): Received {
    if (this.#down) return { count: -ENETDOWN };
    const error = this.takeError();
    if (error < 0) return { count: error };
    const first = this.#queue[0];
    if (first === undefined) return { count: this.#ended ? 0 : -EAGAIN };
    if ((flags & MSG_PEEK) === 0) {
      this.#queue.shift();
      this.#queuedBytes -= first.bytes.length + OVERHEAD_BYTES;
    }
    return { count: first.bytes.copy(into), from: first.from, whole: first.bytes.length };
  }

  shutdown(how: number): number {
    if (this.remote === undefined) return -ENOTCONN;
    if (how === SHUT_RD || how === SHUT_RDWR) {
      this.#ended = true;
      this.tell(READ | END);
    }
    return 0;
  }

  close(): void {
    this.held = false;
    this.fd = -1;
    this.host.remove(this);
  }

  crash(): void {
    this.#down = true;
    this.held = false;
    this.host.remove(this);
    this.tell(READ | WRITE | END);
  }

  #takes(from: Endpoint): boolean {
    const { remote } = this;
    return remote === undefined || (remote.host === from.host && remote.port === from.port);
  }

  #arrive(datagram: Datagram): void {
    const size = datagram.bytes.length + OVERHEAD_BYTES;
    if (this.#queuedBytes + size > this.receiveBytesMax) return;
    this.#queuedBytes += size;
    this.#queue.push(datagram);
    this.tell(READ);
  }

  /** ICMP has come back. */
  #refused(to: Endpoint): void {
    const { remote } = this;
    if (remote === undefined || remote.host !== to.host || remote.port !== to.port) return;
    this.error = ECONNREFUSED;
    this.tell(READ | WRITE | END);
  }
}
