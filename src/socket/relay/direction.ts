// One direction of a relay: takes in, gives out, hands the end on, and begins again by copying where the kernel refuses
// to splice. It waits with operations of the engine, without the sockets' own timeouts; when both directions stop, and
// why, relay.ts says.

import { READ, WRITE } from "../../engine/descriptor.ts";
import { FOREVER } from "../../engine/engine.ts";
import { Call } from "../../engine/operation.ts";
import type { Operation } from "../../engine/operation.ts";
import {
  AF_INET,
  AF_INET6,
  EAGAIN,
  EBADF,
  EINVAL,
  ENOSYS,
  ENOTCONN,
  EOPNOTSUPP,
  EPERM,
  IPPROTO_TCP,
  SHUT_WR,
  SOCK_DGRAM,
  SOCK_STREAM,
} from "../../constants/index.ts";
import type { SocketBase } from "../base.ts";
import { CREDIT_SHIFT } from "../transfers.ts";
import { CopyTransit, PipeTransit } from "./transit.ts";
import type { Transit } from "./transit.ts";

/** What became of one direction; kept current while the relay runs. */
export interface RelayDirection {
  /** Bytes that the receiving side's kernel has taken. */
  bytes: number;
  /** By which way the last of them came: inside the kernel, or through memory. */
  method: "splice" | "copy";
  /** The sender has ended, and the receiver was told. */
  ended: boolean;
  /** Bytes taken from the sender that the receiver did not take; empty unless the relay failed. */
  undelivered: Buffer;
}

/** What splice(2) says where it cannot do it: this kind of socket, this kernel, a seccomp filter. */
const REFUSALS: ReadonlySet<number> = new Set([-EINVAL, -ENOSYS, -EOPNOTSUPP, -EPERM]);

/** From one socket to the other. */
export class Direction {
  readonly report: RelayDirection;
  readonly #from: SocketBase;
  readonly #to: SocketBase;
  readonly #moved: () => void;
  #transit: Transit;
  /** What waits, and where. */
  #waiting: [socket: SocketBase, direction: number, operation: Operation<number>] | undefined;
  #stopped: { readonly reason: unknown } | undefined;

  /** @param moved  called each time that bytes have moved. */
  constructor(from: SocketBase, to: SocketBase, moved: () => void) {
    this.#from = from;
    this.#to = to;
    this.#moved = moved;
    const { calls } = from.engine.backend;
    const streams = from.type === SOCK_STREAM && to.type === SOCK_STREAM;
    this.#transit = (streams ? PipeTransit.open(calls) : undefined) ?? new CopyTransit(calls, from.type);
    this.report = { bytes: 0, method: this.#transit.method, ended: false, undelivered: Buffer.alloc(0) };
  }

  /**
   * Relays until the sender has ended. Rejects with what failed, or with stop()'s reason.
   *
   * @param handEndOn  tell the receiver of the end.
   */
  async run(handEndOn: boolean = true): Promise<void> {
    try {
      while ((await this.#takeIn()) > 0 || this.#from.type === SOCK_DGRAM)
        while (this.#transit.full) await this.#giveOut();
      if (handEndOn) this.#end();
    } finally {
      this.report.undelivered = this.#transit.recover();
      this.#transit.close();
    }
  }

  /** Ends it. */
  stop(reason: unknown): void {
    this.#stopped ??= { reason };
    if (this.#waiting === undefined) return;
    const [socket, direction, operation] = this.#waiting;
    socket.engine.cancel(socket.descriptor, direction, operation, reason);
  }

  #takeIn(): Promise<number> {
    const { descriptor } = this.#from;
    return this.#wait(this.#from, READ, "splice", () => {
      const count = this.#transit.takeIn(descriptor.fd);
      // Before an urgent byte splice stops for ever; recv goes on behind it.
      const stuck = count === -EAGAIN && this.#urgent();
      if (this.#transit.method === "copy" || (!stuck && !REFUSALS.has(count))) return count;
      this.#copyFromNowOn();
      return this.#transit.takeIn(descriptor.fd);
    });
  }

  #giveOut(): Promise<number> {
    const { descriptor } = this.#to;
    return this.#wait(this.#to, WRITE, "splice", () => {
      let count = this.#transit.giveOut(descriptor.fd);
      if (REFUSALS.has(count) && this.#transit.method === "splice") {
        this.#copyFromNowOn();
        count = this.#transit.giveOut(descriptor.fd);
      }
      if (count > 0) this.report.bytes += count;
      return count;
    });
  }

  /** Whether urgent data has come: of TCP it takes back that a short read tells something. */
  #urgent(): boolean {
    const { family, proto, descriptor } = this.#from;
    const tcp = (family === AF_INET || family === AF_INET6) && (proto === 0 || proto === IPPROTO_TCP);
    return tcp && !descriptor.shortReadIsDry;
  }

  #copyFromNowOn(): void {
    const pipe = this.#transit;
    this.#transit = new CopyTransit(this.#from.engine.backend.calls, this.#from.type, pipe.recover());
    this.report.method = this.#transit.method;
    pipe.close();
  }

  /** Hands the sender's end on. A receiver that is gone already (ENOTCONN) needs no telling. */
  #end(): void {
    const { descriptor, engine } = this.#to;
    const result = descriptor.fd < 0 ? -EBADF : engine.backend.calls.shutdown(descriptor.fd, SHUT_WR);
    if (result < 0 && result !== -ENOTCONN) throw this.#to.failure("shutdown", result);
    this.report.ended = true;
  }

  /** As a socket waits, but for as long as it takes. */
  async #wait(
    socket: SocketBase,
    direction: number,
    syscall: string,
    attempt: () => number,
  ): Promise<number> {
    if (this.#stopped !== undefined) throw this.#stopped.reason;
    const { descriptor, engine } = socket;
    if (descriptor.fd < 0) throw socket.failure(syscall, -EBADF);
    const operation = new Call(socket, syscall, attempt, (count) => count);
    const ahead = direction === READ ? descriptor.reads : descriptor.writes;
    let count = -EAGAIN;
    if (ahead === null && engine.credit > 0 && engine.ready(descriptor, direction)) {
      engine.credit--;
      count = attempt();
      if (count === -EAGAIN) engine.dry(descriptor, direction);
      else if (count < 0) throw socket.failure(syscall, count);
    }
    if (count === -EAGAIN) {
      this.#waiting = [socket, direction, operation];
      try {
        count = await engine.park(descriptor, direction, operation, FOREVER, undefined);
      } finally {
        this.#waiting = undefined;
      }
    }
    engine.credit -= count >> CREDIT_SHIFT;
    this.#moved();
    return count;
  }
}
