// A simulated TCP socket: the handshake, the accept queue, two flows, and every way in which a connection ends. What a
// program sees of it is what tcp(7) and Linux show; sequence numbers, congestion and TIME_WAIT are not modelled.

import {
  AF_INET,
  EAGAIN,
  EALREADY,
  ECONNREFUSED,
  ECONNRESET,
  EINPROGRESS,
  EINVAL,
  EISCONN,
  ENETDOWN,
  ENETUNREACH,
  ENOTCONN,
  EPIPE,
  ETIMEDOUT,
  MSG_PEEK,
  SHUT_RD,
  SHUT_RDWR,
  SHUT_WR,
} from "../../constants/index.ts";
import { END, READ, WRITE } from "../../engine/descriptor.ts";
import { ByteQueue } from "../../wire/byte-queue.ts";
import { Flow, HEADER_BYTES } from "./flow.ts";
import type { Endpoint, Route } from "./host.ts";
import { SimulatedSocket } from "./socket.ts";
import type { Received } from "./socket.ts";

type State = "idle" | "listening" | "connecting" | "connected" | "over";

/** listen(2): net.core.somaxconn. */
const BACKLOG_MAX = 4096;

/** A TCP socket. */
export class StreamSocket extends SimulatedSocket {
  readonly isStream = true;
  #state: State = "idle";
  // A listener's.
  #backlog = 0;
  /** Connections whose handshake is not over. */
  #coming = 0;
  #accepted: StreamSocket[] = [];
  /** How many connections it was ever given: those that share an address take turns. */
  taken = 0;
  // A connection's.
  #peer: StreamSocket | undefined = undefined;
  #route: Route | undefined = undefined;
  #outgoing: Flow | undefined = undefined;
  #incoming: Flow | undefined = undefined;
  readonly #arrived = new ByteQueue();
  #peerEnded = false;
  #writeEnded = false;
  #readEnded = false;
  /** connect(2) says once that it has succeeded. */
  #connectTold = false;
  /** The program has closed it, and what it sent is still on its way. */
  #orphan = false;
  /** Its host has gone down. */
  #crashed = false;

  override get listens(): boolean {
    return this.#state === "listening";
  }

  ready(): number {
    if (this.#state === "listening") return this.#accepted.length > 0 ? READ : 0;
    if (this.#state === "connecting") return 0;
    const over = this.#state === "over" || this.error !== 0;
    const readable = over || this.#arrived.length > 0 || this.#peerEnded || this.#readEnded;
    const writable = over || this.#writeEnded || this.#outgoing?.writable === true;
    return (readable ? READ : 0) | (writable ? WRITE : 0) | (over || this.#peerEnded ? END : 0);
  }

  override listen(backlog: number): number {
    if (this.#state !== "idle" && this.#state !== "listening") return -EINVAL;
    if (this.local === undefined) {
      const bound = this.bind({ host: this.family === AF_INET ? "0.0.0.0" : "::", port: 0 });
      if (bound < 0) return bound;
    }
    this.#backlog = Math.min(backlog, BACKLOG_MAX);
    this.#state = "listening";
    this.host.listening.add(this);
    return 0;
  }

  override accept(): SimulatedSocket | number {
    // It is told once. Loops that accept take ENETDOWN for one connection's own error (accept(2)), and go on.
    if (this.#crashed) return this.takeError() || -EINVAL;
    if (this.#state !== "listening") return -EINVAL;
    return this.#accepted.shift() ?? -EAGAIN;
  }

  connect(to: Endpoint): number {
    if (this.#crashed || !this.host.up) return -ENETDOWN;
    if (this.#state === "connecting") return -EALREADY;
    const error = this.takeError();
    if (error < 0) {
      this.#state = "idle";
      return error;
    }
    if (this.#state === "connected") {
      if (this.#connectTold) return -EISCONN;
      this.#connectTold = true;
      return 0;
    }
    if (this.#state !== "idle") return -EINVAL;
    const route = this.host.surroundings.route(this.host, to.host);
    if (route === undefined) return -ENETUNREACH;
    const bound = this.bindFor(to.host);
    if (bound < 0) return bound;
    this.remote = to;
    this.#route = route;
    this.#state = "connecting";
    const timedOut = (): void => this.#connectFailed(ETIMEDOUT);
    route.there.reliable(HEADER_BYTES, true, () => this.#knock(route, to), timedOut);
    return -EINPROGRESS;
  }

  /** The SYN has arrived at the peer's host. False: as if it had not. */
  #knock(route: Route, to: Endpoint): boolean {
    if (!route.host.up) return false;
    const listener = route.host.listenerAt(to);
    const answer = (act: () => void, lost: () => void): void => {
      const arrive = (): boolean => {
        act();
        return true;
      };
      route.back.reliable(HEADER_BYTES, true, arrive, lost);
    };
    if (listener === undefined) {
      answer(
        () => this.#connectFailed(ECONNREFUSED),
        () => this.#connectFailed(ETIMEDOUT),
      );
      return true;
    }
    // listen(2): the queue is full, and the request is ignored, so that a retry may succeed.
    if (listener.#coming + listener.#accepted.length > listener.#backlog) return false;
    listener.#coming++;
    listener.taken++;
    answer(
      () => this.#answered(listener, route),
      () => {
        listener.#coming--;
        this.#connectFailed(ETIMEDOUT);
      },
    );
    return true;
  }

  /** The peer's host has answered: this side is connected, and the peer will be when it hears of that. */
  #answered(listener: StreamSocket, route: Route): void {
    if (this.#state !== "connecting") {
      listener.#coming--;
      return;
    }
    const child = new StreamSocket(route.host, this.family, this.proto);
    child.local = this.remote;
    child.remote = this.local;
    child.inherit(listener);
    child.#connectTold = true;
    this.#join(child, route);
    child.#join(this, { host: this.host, there: route.back, back: route.there });
    this.tell(WRITE);
    const queue = (): boolean => {
      if (!route.host.up) return false;
      listener.#coming--;
      if (listener.#state === "listening") {
        listener.#accepted.push(child);
        listener.tell(READ);
      } else child.#reset();
      return true;
    };
    route.there.reliable(HEADER_BYTES, true, queue, () => listener.#coming--);
  }

  #join(peer: StreamSocket, route: Route): void {
    this.#state = "connected";
    this.#peer = peer;
    this.#route = route;
    this.#outgoing = new Flow(route.there, route.back, this.sendBytesMax, peer.receiveBytesMax, {
      reachable: () => route.host.up,
      onBytes: (bytes) => peer.#receiveBytes(bytes),
      onEnd: () => peer.#receiveEnd(),
      onRoom: () => this.tell(WRITE),
      onFinished: () => this.#finishedSending(),
      onLost: () => this.#fail(ETIMEDOUT),
    });
    peer.#incoming = this.#outgoing;
  }

  #connectFailed(error: number): void {
    if (this.#state !== "connecting") return;
    if (this.#orphan) return this.#over();
    this.#state = "idle";
    this.error = error;
    this.tell(READ | WRITE | END);
  }

  receive(into: Uint8Array, flags: number): Received {
    if (this.#arrived.length > 0) {
      const peek = (flags & MSG_PEEK) !== 0;
      const bytes = peek ? this.#arrived.peek(into.length) : this.#arrived.take(into.length);
      into.set(bytes);
      if (!peek) this.#incoming?.consumed(bytes.length, this.#arrived.length === 0);
      return { count: bytes.length };
    }
    const error = this.takeError();
    if (error < 0) return { count: error };
    if (this.#peerEnded || this.#readEnded || this.#state === "over") return { count: 0 };
    return { count: this.#state === "connected" ? -EAGAIN : -ENOTCONN };
  }

  send(bytes: Uint8Array): number {
    const error = this.takeError();
    if (error < 0) return error;
    if (this.#writeEnded || this.#state === "over") return -EPIPE;
    if (this.#state === "connecting") return -EAGAIN;
    if (this.#outgoing === undefined) return -EPIPE;
    if (bytes.length === 0) return 0;
    return this.#outgoing.write(bytes) || -EAGAIN;
  }

  shutdown(how: number): number {
    if (this.#state !== "connected") return -ENOTCONN;
    if (how === SHUT_WR || how === SHUT_RDWR) this.#endWriting();
    if (how === SHUT_RD || how === SHUT_RDWR) {
      this.#readEnded = true;
      this.tell(READ | END);
    }
    return 0;
  }

  close(): void {
    const state = this.#state;
    this.fd = -1;
    this.held = false;
    this.#orphan = true;
    if (state === "listening") {
      this.#state = "over";
      this.host.listening.delete(this);
      for (const child of this.#accepted.splice(0)) child.#reset();
    }
    if (state === "connected") {
      // RFC 2525 section 2.17: what the program has not read is lost, and the peer is told so.
      if (this.abortive || this.#arrived.length > 0) this.#reset();
      else this.#endWriting();
    } else this.#over();
  }

  crash(): void {
    this.#crashed = true;
    this.#state = "over";
    this.host.listening.delete(this);
    this.#stop();
    this.error = ENETDOWN;
    this.#accepted = [];
    this.tell(READ | WRITE | END);
  }

  /** Both sides lose the connection, as when something between them sends resets. */
  sever(): void {
    if (this.#state !== "connected") return;
    const peer = this.#peer;
    if (peer !== undefined) peer.#receiveReset();
    this.#receiveReset();
  }

  #endWriting(): void {
    if (this.#writeEnded) return;
    this.#writeEnded = true;
    this.#outgoing?.end();
  }

  #receiveBytes(bytes: Buffer): void {
    // Nobody will read them: the program has closed the socket, or the host has forgotten it.
    if (this.#orphan || this.#state !== "connected") return this.#reset();
    if (this.#readEnded) return;
    this.#arrived.push(bytes);
    this.tell(READ);
  }

  #receiveEnd(): void {
    if (this.#state !== "connected") return;
    this.#peerEnded = true;
    this.tell(READ | END);
  }

  #finishedSending(): void {
    if (this.#orphan) this.#over();
  }

  /** Ends the connection at once and tells the peer so. */
  #reset(): void {
    const peer = this.#peer;
    this.#over();
    this.#route?.there.reliable(
      HEADER_BYTES,
      false,
      () => {
        if (peer?.host.up !== true) return false;
        peer.#receiveReset();
        return true;
      },
      () => undefined,
    );
  }

  #receiveReset(): void {
    this.#fail(this.#peerEnded ? EPIPE : ECONNRESET);
  }

  #fail(error: number): void {
    if (this.#state !== "connected") return;
    this.#over();
    if (this.#orphan) return;
    this.error = error;
    this.tell(READ | WRITE | END);
  }

  #over(): void {
    this.#state = "over";
    this.#stop();
  }

  #stop(): void {
    this.#outgoing?.kill();
    if (this.#orphan || !this.host.up) {
      this.held = false;
      this.host.remove(this);
    }
  }
}
