// What happens to sockets, told to whoever subscribes through node:diagnostics_channel: one channel for each kind of event.
// It is the only file that knows these channels; sockets, the engine and the backends do not.
//
// What it costs when nobody subscribes: nothing where bytes move. There is no flag to be looked at in recv or send. All that
// happens to a socket happens through its backend's calls (native/calls.ts); as long as somebody subscribes, these are
// exchanged for calls that make the call and tell what it returned. Whether somebody does is looked at when a socket is made
// and once per batch of events of the kernel's, which is nine times `hasSubscribers`: some twenty nanoseconds beside the
// microseconds of either. Only the calls are exchanged that somebody wants to hear of: who subscribes to "berkeley:close"
// leaves recv and send as they are. bench/README.md says how to measure it.

import { channel } from "node:diagnostics_channel";
import type { Channel } from "node:diagnostics_channel";
import { Engine } from "../engine/engine.ts";
import type { SocketCalls } from "../native/calls.ts";
import {
  EAGAIN,
  EALREADY,
  EINPROGRESS,
  EINTR,
  EISCONN,
  MSG_ERRQUEUE,
  MSG_PEEK,
  SOL_SOCKET,
  SO_DOMAIN,
  SO_TYPE,
} from "../constants/index.ts";
import { decodeAddress, makeAddressView } from "./address.ts";
import type { AnyAddress } from "./address.ts";
import { describeErrno } from "./errno.ts";
import { scratch } from "./transfers.ts";

/** A socket, as events have it: the same object in all events of one socket. */
export interface WatchedSocket {
  /** Counted from 1 in each thread. A descriptor's number is used again, this is not. */
  readonly id: number;
  readonly fd: number;
  /** AF_* and SOCK_*; -1: the system did not say. */
  readonly family: number;
  readonly type: number;
  /** Its own address, once it was bound, accepted or connected. */
  readonly local: AnyAddress | undefined;
  /** The peer's, once it was accepted or connected. */
  readonly remote: AnyAddress | undefined;
  /** performance.now() when it was opened; undefined: before anybody watched. */
  readonly openedAt: number | undefined;
}

/** What each channel publishes. The names of the channels are these. */
export interface SocketEvents {
  /** A socket was made: socket(), socketpair(), dup(), an accept, a descriptor that was adopted. */
  readonly "berkeley:open": { readonly socket: WatchedSocket };
  readonly "berkeley:bind": { readonly socket: WatchedSocket };
  readonly "berkeley:listen": { readonly socket: WatchedSocket; readonly backlog: number };
  /** `socket` is the new one. Its "berkeley:open" comes before. */
  readonly "berkeley:accept": { readonly socket: WatchedSocket; readonly listener: WatchedSocket };
  /** A connect has succeeded. */
  readonly "berkeley:connect": { readonly socket: WatchedSocket };
  /** One call moved bytes. Of batches of datagrams and of relays inside of the kernel nothing is told. */
  readonly "berkeley:bytes": {
    readonly socket: WatchedSocket;
    readonly direction: "received" | "sent";
    readonly bytes: number;
  };
  /** The time that settimeout() gives was up. */
  readonly "berkeley:timeout": { readonly socket: WatchedSocket; readonly syscall: string };
  /** A call failed; waiting is no failure. `socket` is undefined where none came to be. */
  readonly "berkeley:error": {
    readonly socket: WatchedSocket | undefined;
    readonly syscall: string;
    /** "ECONNRESET", and its number. */
    readonly code: string;
    readonly errno: number;
  };
  /** It was closed, or given away by detach(). */
  readonly "berkeley:close": { readonly socket: WatchedSocket };
}

type EventName = keyof SocketEvents;

const NAMES: readonly EventName[] = [
  "berkeley:open",
  "berkeley:bind",
  "berkeley:listen",
  "berkeley:accept",
  "berkeley:connect",
  "berkeley:bytes",
  "berkeley:timeout",
  "berkeley:error",
  "berkeley:close",
];
const channels: readonly Channel[] = NAMES.map((name) => channel(name));

function publish<N extends EventName>(name: N, message: SocketEvents[N]): void {
  const one = channels[NAMES.indexOf(name)] as Channel;
  if (one.hasSubscribers) one.publish(message);
}

/** Which channels have subscribers, a bit each. */
function wanted(): number {
  let bits = 0;
  for (let at = 0; at < channels.length; at++) if ((channels[at] as Channel).hasSubscribers) bits |= 1 << at;
  return bits;
}

const bit = (...names: EventName[]): number =>
  names.reduce((bits, name) => bits | (1 << NAMES.indexOf(name)), 0);

/** Of memory that receives go through, the part of the scratch that has `bytes` of this one; none of the program's own. */
function inScratch(view: ArrayBufferView | undefined, bytes: number): Uint8Array[] {
  return view?.buffer === scratch.buffer ? [scratch.subarray(0, Math.min(bytes, scratch.length))] : [];
}

/**
 * Tells subscribers of a call whose results still lie in memory that every socket uses. A subscriber may use sockets
 * himself: what his calls left there is put right afterwards.
 */
function keeping(memory: readonly Uint8Array[], tell: () => void): void {
  const kept = memory.map((view) => Uint8Array.from(view));
  tell();
  memory.forEach((view, at) => view.set(kept[at] as Uint8Array));
}

/** What is known of a socket that is open. */
class Life implements WatchedSocket {
  static #last = 0;
  readonly id: number = ++Life.#last;
  readonly fd: number;
  readonly family: number;
  readonly type: number;
  readonly openedAt: number | undefined;
  local: AnyAddress | undefined = undefined;
  remote: AnyAddress | undefined = undefined;
  /** A connect goes on. */
  connecting = false;

  constructor(fd: number, family: number, type: number, openedAt: number | undefined) {
    this.fd = fd;
    this.family = family;
    this.type = type;
    this.openedAt = openedAt;
  }
}

/** No failures: the call goes on, or is made again. */
const BENIGN: ReadonlySet<number> = new Set([EAGAIN, EALREADY, EINPROGRESS, EINTR]);
/** With these flags of recv(2) nothing moves: bytes are looked at, or are of the error queue. */
const NOT_MOVED: number = MSG_PEEK | Math.max(0, MSG_ERRQUEUE);
const TYPE_MASK = 0xf; // without SOCK_NONBLOCK and SOCK_CLOEXEC

/** The sockets of one backend that were seen since somebody watches it, and its calls, watched. */
class Watch {
  readonly #calls: SocketCalls;
  readonly #lives = new Map<number, Life>();
  readonly #view: Uint8Array = makeAddressView();

  constructor(calls: SocketCalls) {
    this.#calls = calls;
  }

  /** The calls, of which those tell that have something to tell the channels of `bits`. */
  exchanged(bits: number): SocketCalls {
    const calls = this.#calls;
    const exchanged = bound(calls);
    Object.assign(exchanged, this.#lifeCalls(calls));
    if ((bits & bit("berkeley:error", "berkeley:bytes")) !== 0) {
      Object.assign(exchanged, {
        recv: this.#moving("recv", "received", calls.recv.bind(calls), 3, ([into], bytes) =>
          inScratch(into, bytes),
        ),
        recvfrom: this.#moving(
          "recvfrom",
          "received",
          calls.recvfrom.bind(calls),
          3,
          ([into, , , , sender], bytes) => [...inScratch(into, bytes), sender],
        ),
        recvmsg: this.#moving(
          "recvmsg",
          "received",
          calls.recvmsg.bind(calls),
          4,
          ([into, message, control, controlLength], bytes) => [
            ...inScratch(into[0], bytes),
            message,
            control.subarray(0, controlLength),
          ],
        ),
        send: this.#moving("send", "sent", calls.send.bind(calls), 3),
        sendto: this.#moving("sendto", "sent", calls.sendto.bind(calls), 3),
        sendmsg: this.#moving("sendmsg", "sent", calls.sendmsg.bind(calls), 5),
        sendfile: this.#moving("sendfile", "sent", calls.sendfile.bind(calls), undefined),
      } satisfies Partial<SocketCalls>);
    }
    return exchanged;
  }

  /** What makes, names, connects and ends sockets. */
  #lifeCalls(calls: SocketCalls): Partial<SocketCalls> {
    return {
      socket: (family, type, proto) => {
        const fd = this.#told(undefined, "socket", calls.socket(family, type, proto));
        if (fd >= 0) this.#opened(fd, family, type & TYPE_MASK);
        return fd;
      },
      socketpair: (family, type, proto, pair) => {
        const result = this.#told(undefined, "socketpair", calls.socketpair(family, type, proto, pair));
        if (result >= 0) for (const fd of pair.subarray(0, 2)) this.#opened(fd, family, type & TYPE_MASK);
        return result;
      },
      dup: (fd) => this.#adopted(this.#told(fd, "dup", calls.dup(fd))),
      adopt: (fd) => {
        const result = this.#told(fd, "adopt", calls.adopt(fd));
        if (result >= 0 && !this.#lives.has(fd)) this.#adopted(fd);
        return result;
      },
      bind: (fd, address, offset, length) => {
        const result = this.#told(fd, "bind", calls.bind(fd, address, offset, length));
        if (result >= 0) publish("berkeley:bind", { socket: this.#named(fd) });
        return result;
      },
      listen: (fd, backlog) => {
        const result = this.#told(fd, "listen", calls.listen(fd, backlog));
        if (result >= 0) publish("berkeley:listen", { socket: this.#named(fd), backlog });
        return result;
      },
      accept: (fd, address) => {
        const accepted = calls.accept(fd, address);
        keeping([address], () => void this.#accepted(fd, accepted));
        return accepted;
      },
      accept_nameless: (fd) => this.#accepted(fd, calls.accept_nameless(fd)),
      connect: (fd, address, offset, length) => {
        const result = calls.connect(fd, address, offset, length);
        const life = this.#life(fd);
        // Asked again, a connect that has succeeded meanwhile says so, or that there is one (the engine knows both).
        const succeeded = result >= 0 || (result === -EISCONN && life.connecting);
        life.connecting = result === -EINPROGRESS || result === -EALREADY;
        if (succeeded) publish("berkeley:connect", { socket: this.#named(fd) });
        return succeeded ? result : this.#told(fd, "connect", result);
      },
      shutdown: (fd, how) => this.#told(fd, "shutdown", calls.shutdown(fd, how)),
      close: (fd) => {
        this.#ended(fd);
        return calls.close(fd);
      },
      disown: (fd) => {
        this.#ended(fd);
        return calls.disown(fd);
      },
    };
  }

  /**
   * A call that moves bytes. `flagsAt`: which of its arguments behind the descriptor are its flags. `results`: where in memory
   * of everybody's its results are.
   */
  #moving<A extends unknown[]>(
    syscall: string,
    direction: "received" | "sent",
    call: (fd: number, ...rest: A) => number,
    flagsAt: number | undefined,
    results: (rest: A, bytes: number) => Uint8Array[] = () => [],
  ): (fd: number, ...rest: A) => number {
    return (fd, ...rest) => {
      const bytes = call(fd, ...rest);
      const flags = flagsAt === undefined ? 0 : (rest[flagsAt] as number);
      if (bytes > 0 && (flags & NOT_MOVED) === 0)
        keeping(results(rest, bytes), () =>
          publish("berkeley:bytes", { socket: this.#life(fd), direction, bytes }),
        );
      return this.#told(fd, syscall, bytes);
    };
  }

  /** Passes a result through; a failure is published. */
  #told(fd: number | undefined, syscall: string, result: number): number {
    if (result >= 0 || BENIGN.has(-result)) return result;
    const socket = fd === undefined ? undefined : this.#life(fd);
    publish("berkeley:error", { socket, syscall, code: describeErrno(-result).code, errno: -result });
    return result;
  }

  #opened(fd: number, family: number, type: number): Life {
    const life = new Life(fd, family, type, performance.now());
    this.#lives.set(fd, life);
    publish("berkeley:open", { socket: life });
    return life;
  }

  /** A descriptor that is new here and was made elsewhere. */
  #adopted(fd: number): number {
    if (fd >= 0) {
      this.#opened(fd, this.#ask(fd, SO_DOMAIN), this.#ask(fd, SO_TYPE));
      this.#named(fd);
    }
    return fd;
  }

  #accepted(listener: number, fd: number): number {
    if (fd < 0) return this.#told(listener, "accept", fd);
    const of = this.#life(listener);
    const life = this.#opened(fd, of.family, of.type);
    publish("berkeley:accept", { socket: this.#named(life.fd), listener: of });
    return fd;
  }

  #ended(fd: number): void {
    // A poller, a pipe and the like are closed here too, and no socket was made of them.
    if (!this.#lives.has(fd) && this.#ask(fd, SO_TYPE) < 0) return;
    const socket = this.#life(fd);
    this.#lives.delete(fd);
    publish("berkeley:close", { socket });
  }

  /** What is known of a descriptor; of one that was opened before anybody watched, what the system says. */
  #life(fd: number): Life {
    const known = this.#lives.get(fd);
    if (known !== undefined) return known;
    const life = new Life(fd, this.#ask(fd, SO_DOMAIN), this.#ask(fd, SO_TYPE), undefined);
    this.#lives.set(fd, life);
    return this.#named(fd);
  }

  /** Asks the system for both addresses. */
  #named(fd: number): Life {
    const life = this.#life(fd);
    const [calls, view] = [this.#calls, this.#view];
    if (life.local === undefined && calls.getsockname(fd, view) >= 0) life.local = decodeAddress(view, 0);
    if (life.remote === undefined && calls.getpeername(fd, view) >= 0) life.remote = decodeAddress(view, 0);
    return life;
  }

  #ask(fd: number, option: number): number {
    const word = new Int32Array(1);
    const result = this.#calls.getsockopt(fd, SOL_SOCKET, option, new Uint8Array(word.buffer), 0, 4);
    return result < 0 ? -1 : (word[0] as number);
  }

  timedOut(fd: number, syscall: string): void {
    if (fd >= 0) publish("berkeley:timeout", { socket: this.#life(fd), syscall });
  }
}

/** The same calls as an object of their own. Of a class's instance they are bound; the addon's are functions. */
function bound(calls: SocketCalls): SocketCalls {
  if (Object.getPrototypeOf(calls) === Object.prototype) return { ...calls };
  const own = Object.create(calls) as Record<string, unknown>;
  for (
    let at = calls as object | null;
    at !== null && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object
  )
    for (const name of Object.getOwnPropertyNames(at)) {
      const value: unknown = Reflect.get(calls, name);
      if (typeof value === "function" && name !== "constructor" && !Object.hasOwn(own, name))
        own[name] = value.bind(calls) as unknown;
    }
  return own as unknown as SocketCalls;
}

/** Of engines that are watched: since when, and the calls that are theirs. */
const watches = new WeakMap<Engine, { readonly watch: Watch; readonly calls: SocketCalls }>();

/** Exchanges an engine's calls if other channels than before have subscribers. */
function look(engine: Engine): void {
  const bits = wanted();
  if (bits === engine.watchedBy) return;
  engine.watchedBy = bits;
  const { backend } = engine;
  const known = watches.get(engine);
  if (bits === 0) {
    if (known !== undefined) backend.calls = known.calls;
    watches.delete(engine);
    return;
  }
  const { calls, watch } = known ?? { calls: backend.calls, watch: new Watch(backend.calls) };
  watches.set(engine, { calls, watch });
  backend.calls = watch.exchanged(bits);
}

Engine.look = look;

/** A call's time was up. */
export function tellTimeout(engine: Engine, fd: number, syscall: string): void {
  look(engine);
  watches.get(engine)?.watch.timedOut(fd, syscall);
}
