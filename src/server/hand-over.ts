// Restarts without a refused connection: the old process gives its listening descriptors to the new one, which accepts from
// the same queues; when it says that it is ready, the old one stops accepting and lets its connections end. In between both
// accept, and at no moment nobody does.
//
// The conversation, over a Unix socket of packets: old to new, the names of the listeners with their descriptors; new to old,
// "ready"; old to new, "done". A new process that dies before it is ready has changed nothing. Descriptors are given only to,
// and taken only from, a process of the same user or of root (SO_PEERCRED).

import {
  AF_UNIX,
  ECONNREFUSED,
  ENOENT,
  EPERM,
  SOCK_SEQPACKET,
  SocketError,
  close,
  recv_fds,
  send_fds,
  socket,
  unlink_stale,
} from "../index.ts";
import type { Socket, UnixAddress } from "../index.ts";
import { invalidArgument, outOfRange } from "../socket/errors.ts";
import { SocketListener } from "../stream/index.ts";
import { hasNoDelay } from "../stream/listener.ts";
import { RemoteProtocolError } from "../wire/index.ts";
import { checkTime } from "./options.ts";

/** SCM_MAX_FD of Linux: descriptors that one message carries. */
const LISTENERS_MAX = 253;
/** Names and all around them, in one packet; the system's own limit is net.core.wmem_default, 212992. */
const PACKET_BYTES_MAX = 65_536;
/** How long a new process may load and prepare before it is ready: as long as systemd lets a service start. */
const READY_TIMEOUT_MS = 90_000;
/** How long an answer may take that needs no work. */
const ANSWER_TIMEOUT_MS = 5_000;

/** What handOver() takes last. */
export interface HandOverOptions {
  /** How long a new process may take until it is ready. Default 90000. */
  readyTimeoutMs?: number | undefined;
}

/** An offer to hand listeners over. */
export interface HandOver extends Disposable {
  /** Resolves with true when another process has taken over, with false when the offer was closed. */
  readonly taken: Promise<boolean>;
  /** Takes the offer back. */
  close(): void;
}

/** What was taken over. */
export interface TakenOver extends Disposable {
  /** By the names under which they were offered. */
  readonly listeners: Readonly<Record<string, SocketListener>>;
  /**
   * Tells the old process that this one accepts now, and waits until it has stopped accepting. The path is free then.
   *
   * @throws {RemoteProtocolError} ERR_HAND_OVER: the old process did not answer so. It may have gone; the listeners are good.
   */
  ready(): Promise<void>;
  /** Lets go of the old process, which then serves on, if it was not told of being ready. The listeners stay open. */
  close(): void;
}

const wrong = (what: string, cause?: unknown): RemoteProtocolError =>
  new RemoteProtocolError("ERR_HAND_OVER", `hand-over: ${what}`, cause === undefined ? {} : { cause });

/** Throws unless the process at the other end is of this user, or root's. */
function checkPeer(peer: Socket): void {
  const { uid, pid } = peer.options.SO_PEERCRED;
  if (uid !== 0 && uid !== process.geteuid?.())
    throw new SocketError("hand-over", -EPERM, { hint: `process ${pid} is of user ${uid}` });
}

/** Waits for one packet, for so long. An empty one: the peer has ended. */
async function receive(peer: Socket, ms: number): Promise<string> {
  peer.settimeout(ms === Infinity ? null : ms / 1000);
  return (await peer.recv(PACKET_BYTES_MAX)).toString();
}

/**
 * Offers listeners to a process that takes over, until one has. Its own connections the old process has to end itself:
 *
 * ```ts
 * const offer = handOver("/run/app/hand-over", { http: listener });
 * if (await offer.taken) await server.shutdown();
 * ```
 *
 * When it is taken, the listeners are closed here; the file of a Unix socket stays, for it is the other's now. The offer holds
 * no process alive, and its file is removed at its end.
 *
 * @param path       of the conversation, or an abstract name; what a dead process left there is replaced.
 * @param listeners  by names of the program's own, the same in the old version and the new. At most 253.
 * @throws {SocketError} EADDRINUSE: another process offers there. EACCES, ENOENT … @throws {TypeError} ERR_INVALID_ARG_TYPE.
 * @throws {RangeError} ERR_OUT_OF_RANGE: no listener, or too many.
 * @see unix(7), SCM_RIGHTS, SO_PEERCRED
 */
export function handOver(
  path: UnixAddress,
  listeners: Readonly<Record<string, SocketListener>>,
  options: HandOverOptions = {},
): HandOver {
  const entries = Object.entries(listeners);
  if (entries.length === 0 || entries.length > LISTENERS_MAX)
    throw outOfRange("listeners", `1 to ${LISTENERS_MAX} listeners`, entries.length);
  for (const [name, listener] of entries)
    if (!(listener instanceof SocketListener))
      throw invalidArgument(`listeners.${name}`, "a SocketListener", listener);
  const readyTimeoutMs = checkTime("options.readyTimeoutMs", options.readyTimeoutMs ?? READY_TIMEOUT_MS);
  return new Offer(path, listeners, readyTimeoutMs);
}

class Offer implements HandOver {
  readonly taken: Promise<boolean>;
  readonly #path: UnixAddress;
  readonly #listeners: readonly (readonly [name: string, listener: SocketListener])[];
  readonly #readyTimeoutMs: number;
  readonly #control: Socket;
  /** Conversations that go on; the first that comes to its end takes over. */
  readonly #peers = new Set<Socket>();
  #settle: (taken: boolean) => void = () => {};

  constructor(
    path: UnixAddress,
    listeners: Readonly<Record<string, SocketListener>>,
    readyTimeoutMs: number,
  ) {
    this.#path = path;
    this.#listeners = Object.entries(listeners);
    this.#readyTimeoutMs = readyTimeoutMs;
    this.taken = new Promise((resolve) => (this.#settle = resolve));
    this.#control = socket(AF_UNIX, SOCK_SEQPACKET).unref();
    try {
      unlink_stale(path);
      this.#control.bind(path);
      this.#control.listen();
    } catch (error) {
      this.#control.close();
      throw error;
    }
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      for await (const [peer] of this.#control) void this.#converse(peer.unref());
    } finally {
      this.close();
    }
  }

  /** A process that ends, is too slow or says something else has taken nothing over. */
  async #converse(peer: Socket): Promise<void> {
    this.#peers.add(peer);
    try {
      checkPeer(peer);
      const names = this.#listeners.map(([name]) => name);
      const descriptors = this.#listeners.map(([, listener]) => listener.socket.fileno());
      await send_fds(peer, [JSON.stringify({ listeners: names })], descriptors);
      if ((await receive(peer, this.#readyTimeoutMs)) !== "ready" || this.#control.closed) return;
      // Not through the listener: closing that would unlink the file of a Unix socket.
      for (const [, listener] of this.#listeners) listener.socket.close();
      this.#peers.delete(peer);
      this.#settle(true);
      this.close();
      await peer.sendall("done");
    } catch {
      // Its failure is its own; this process goes on serving.
    } finally {
      this.#peers.delete(peer);
      peer.close();
    }
  }

  close(): void {
    if (this.#control.closed) return;
    this.#control.close();
    for (const peer of this.#peers) peer.close();
    unlink_stale(this.#path);
    this.#settle(false);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Takes listeners over from a process that offers them:
 *
 * ```ts
 * const before = await takeOver("/run/app/hand-over");
 * const listener = before?.listeners.http ?? (await listenTcp("", 80));
 * const server = serve(listener, handler);
 * await before?.ready();
 * const offer = handOver("/run/app/hand-over", { http: listener });
 * ```
 *
 * The listeners belong to this process from now on; TCP_NODELAY stays as it is, and a Unix socket's file is unlinked at their
 * close.
 *
 * @returns undefined: nobody offers anything there.
 * @throws {SocketError} EPERM: who offers is another user's process, and not root's. Others as connect().
 * @throws {RemoteProtocolError} ERR_HAND_OVER: what came is no offer. Nothing stays open.
 */
export async function takeOver(path: UnixAddress): Promise<TakenOver | undefined> {
  const peer = socket(AF_UNIX, SOCK_SEQPACKET);
  try {
    peer.settimeout(ANSWER_TIMEOUT_MS / 1000);
    await peer.connect(path);
    checkPeer(peer);
    return new Taken(peer, await receiveOffer(peer));
  } catch (error) {
    peer.close();
    if (error instanceof SocketError && (error.errno === ENOENT || error.errno === ECONNREFUSED))
      return undefined;
    throw error;
  }
}

async function receiveOffer(peer: Socket): Promise<Record<string, SocketListener>> {
  const [message, descriptors] = await recv_fds(peer, PACKET_BYTES_MAX, LISTENERS_MAX);
  const sockets: Socket[] = [];
  try {
    for (const fd of descriptors) sockets.push(socket(undefined, undefined, undefined, { fileno: fd }));
    const names = namesOf(message.toString(), sockets.length);
    const listeners = names.map((name, at) => {
      const own = sockets[at] as Socket;
      if (!own.options.SO_ACCEPTCONN) throw wrong(`${JSON.stringify(name)} does not listen`);
      return [name, new SocketListener(own, { noDelay: hasNoDelay(own), unlinkAtClose: true })] as const;
    });
    return Object.fromEntries(listeners);
  } catch (error) {
    for (const own of sockets) own.close();
    for (const fd of descriptors.slice(sockets.length)) close(fd);
    throw error instanceof RemoteProtocolError ? error : wrong("what came are no listeners", error);
  }
}

/** The names of an offer: as many as descriptors came, each once. */
function namesOf(message: string, count: number): readonly string[] {
  let offer: unknown;
  try {
    offer = JSON.parse(message);
  } catch (error) {
    throw wrong(message === "" ? "the other process ended" : "no offer", error);
  }
  const names = (offer as { listeners?: unknown } | null)?.listeners;
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) throw wrong("no offer");
  if (names.length !== count || new Set(names).size !== count)
    throw wrong(`${names.length} names, ${count} descriptors`);
  return names;
}

class Taken implements TakenOver {
  readonly listeners: Readonly<Record<string, SocketListener>>;
  readonly #peer: Socket;

  constructor(peer: Socket, listeners: Readonly<Record<string, SocketListener>>) {
    this.#peer = peer;
    this.listeners = listeners;
  }

  async ready(): Promise<void> {
    const peer = this.#peer;
    try {
      await peer.sendall("ready");
      const answer = await receive(peer, ANSWER_TIMEOUT_MS);
      if (answer !== "done") throw wrong(answer === "" ? "the other process ended" : "no answer");
    } catch (error) {
      throw error instanceof RemoteProtocolError ? error : wrong("the other process did not answer", error);
    } finally {
      peer.close();
    }
  }

  close(): void {
    this.#peer.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
