// A TLSSocket of Node's over a stream of ours, and what of it Node does not document: only this file knows that. It is held
// to it by the tests on every Node that is supported, and refuses to work where it finds something else.
//
// Why a descriptor is handed over. TLS over a net.Socket stays in C++: a record is read, deciphered and given to JavaScript
// once. Over any other Duplex every record goes through JavaScript twice more. So a stream over a socket gives its
// descriptor to Node; what is no socket (memory, TLS itself, a served stream that counts, a simulated network) is wrapped.

import { Socket as NetSocket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket, connect } from "node:tls";
import type { ConnectionOptions, TLSSocketOptions } from "node:tls";
import { HandedOverStream } from "../stream/handed-over.ts";
import { SocketStream, toDuplex, toNetSocket } from "../stream/index.ts";
import type { ByteStream } from "../stream/index.ts";

/** What is used of a TLSSocket beyond its types. */
interface Inside {
  readonly _handle?: { readonly reading?: unknown; readonly _parent?: Parent } | null;
  readonly ssl?: { verifyError?: () => { readonly code?: unknown } | null } | null;
  _releaseControl?: () => boolean;
  _read: (size: number) => void;
}

/** The handle of the connection beneath. */
interface Parent {
  readStart?: () => number;
  readStop?: () => number;
}

/** A TLSSocket, and how to ask it what Node does not let one ask. */
export interface NodeSide {
  readonly socket: TLSSocket;
  /** Whether Node has the descriptor: what is written is in the kernel at once, if there is room. */
  readonly isDirect: boolean;
  /**
   * Of an end of what is received, asked at the moment at which it is pushed: whether the connection ended, and not TLS.
   * OpenSSL knows the difference, and Node gives the same end for both.
   */
  readonly isTruncated: () => boolean;
}

/** Whether the kernel knows the descriptor: a simulated one is a number of ours. */
function isKernels({ socket }: SocketStream): boolean {
  const { name } = socket.engine.backend;
  return name === "epoll" || name === "kqueue";
}

function beneath(stream: ByteStream): NetSocket | Duplex {
  const inner = stream instanceof HandedOverStream ? stream.beneath : stream;
  if (inner instanceof SocketStream && isKernels(inner)) return toNetSocket(stream, { allowHalfOpen: true });
  return toDuplex(stream, { allowHalfOpen: true });
}

/** The client's end over a stream, which belongs to it from now on. The handshake begins. */
export function clientSocket(stream: ByteStream, options: ConnectionOptions): NodeSide {
  const raw = beneath(stream);
  return nodeSide(raw, () => connect({ ...options, socket: raw }));
}

/** The server's end. */
export function serverSocket(stream: ByteStream, options: TLSSocketOptions): NodeSide {
  const raw = beneath(stream);
  return nodeSide(raw, () => {
    const made = new TLSSocket(raw, { ...options, isServer: true });
    // Of a socket that no tls.Server has made errors are otherwise told nobody.
    const { _releaseControl: releaseControl } = made as unknown as Inside;
    releaseControl?.call(made);
    return made;
  });
}

function nodeSide(raw: NetSocket | Duplex, make: () => TLSSocket): NodeSide {
  // TLS passes its errors on.
  raw.on("error", () => undefined);
  let socket: TLSSocket;
  try {
    socket = make();
  } catch (error) {
    raw.destroy();
    throw error;
  }
  const inside = socket as unknown as Inside;
  const { _handle: handle } = inside;
  const { _parent: parent } = handle ?? {};
  if (!(raw instanceof NetSocket)) return { socket, isDirect: false, isTruncated: () => raw.readableEnded };
  if (typeof parent?.readStart !== "function" || typeof parent.readStop !== "function") {
    socket.destroy();
    throw changed();
  }
  return { socket, isDirect: true, isTruncated: () => hasEnded(inside, parent) };
}

// libuv stops reading before it tells of an end of the connection, and goes on reading while it tells of bytes, of which the
// peer's close_notify are the last. To be asked to begin it then refuses: it reads already (uv_read_start, UV_EALREADY).
// Where this side has stopped reading (it holds enough), the connection's end cannot have been read.
function hasEnded({ _handle: handle }: Inside, parent: Parent): boolean {
  if (handle?.reading === false) return false;
  if (parent.readStart?.() !== 0) return false;
  parent.readStop?.();
  return true;
}

/** Why the peer's certificate is refused, by Node's name; undefined: it is not. */
export function verifyError(socket: TLSSocket): string | undefined {
  const { ssl } = socket as unknown as Inside;
  if (typeof ssl?.verifyError !== "function") throw changed();
  const error = ssl.verifyError();
  if (error === null || error === undefined) return undefined;
  return typeof error.code === "string" ? error.code : "UNSPECIFIED";
}

/**
 * The peer's certificate as DER; undefined: it has sent none, or (of a client) the session was resumed.
 *
 * Not getPeerX509Certificate(): of a client each call takes a certificate off the connection, so that the next one and a
 * session that is kept lack it (Node 20 and 22).
 */
export function peerCertificateOf(socket: TLSSocket): Buffer | undefined {
  return (socket.getPeerCertificate() as { readonly raw?: Buffer } | null)?.raw;
}

/**
 * Calls what a program gave. What it throws ends the connection, whose calls then fail with that: behind OpenSSL's back, for
 * it is in the midst of something.
 */
export function contained<T>(socket: TLSSocket, call: (value: T) => void): (value: T) => void {
  return (value) => {
    try {
      call(value);
    } catch (error) {
      setImmediate(() => socket.destroy(error as Error));
    }
  };
}

/** Gives a program the secrets of a connection, as lines. */
export function tellSecrets(socket: TLSSocket, keyLog: (line: string) => void): void {
  socket.on(
    "keylog",
    contained(socket, (line: Buffer) => keyLog(line.toString("latin1").trimEnd())),
  );
}

/** Reads on, after push() said that there was enough. */
export function readOn(socket: TLSSocket): void {
  const { _read: read } = socket as unknown as Inside;
  read.call(socket, 0);
}

const changed = (): Error =>
  new Error(`berkeley/tls: in Node ${process.version} a TLSSocket is not what it was; please report it`);
