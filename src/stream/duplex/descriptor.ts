// One connection from Node's hands into ours and back: the descriptor changes hands, and no byte is lost on the way. What a
// net.Socket is inside, only this file knows: that its `_handle.fd` is the descriptor, which Node does not promise.

import { Socket as NetSocket } from "node:net";
import { ECONNABORTED, SocketError, close, dup, socket } from "../../index.ts";
import { invalidArgument, invalidState } from "../../socket/errors.ts";
import type { ByteStream } from "../byte-stream.ts";
import { HandedOverStream } from "../handed-over.ts";
import { SocketStream } from "../socket-stream.ts";

/** What is looked at of a net.Socket beyond its types. */
interface Inside {
  readonly _handle?: { readonly fd?: unknown } | null;
  readonly encrypted?: unknown;
}

/**
 * Takes a connection from a net.Socket: a stream over the same connection, which begins with what Node had read already.
 * The net.Socket is destroyed, and emits "close"; the connection stays.
 *
 * @param from  a connected net.Socket over TCP or a Unix socket, to which nothing waits to be written.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: no net.Socket, a tls.TLSSocket (its keys stay with Node: fromDuplex() it), or
 *   one with setEncoding(). ERR_INVALID_STATE: it is not connected, or has bytes to write: wait for "drain".
 * @throws {SocketError} EMFILE: no descriptor left.
 */
export function adoptNetSocket(from: NetSocket): ByteStream {
  if (!(from instanceof NetSocket)) throw invalidArgument("from", "a net.Socket", from);
  const { _handle: handle, encrypted } = from as Inside;
  if (encrypted === true) throw invalidArgument("from", "a net.Socket without TLS", from);
  if (from.readableEncoding !== null) throw invalidArgument("from", "a net.Socket of bytes", from);
  const fd = handle?.fd;
  if (from.connecting || from.destroyed || typeof fd !== "number" || fd < 0)
    throw invalidState("the net.Socket is not connected");
  if (from.writableLength > 0 || from.writableEnded)
    throw invalidState("the net.Socket has bytes to write, or has ended");
  // All at once: Node reads between turns of the loop only.
  const copy = dup(fd);
  let stream: SocketStream;
  try {
    stream = new SocketStream(socket(undefined, undefined, undefined, { fileno: copy }));
  } catch (error) {
    close(copy);
    throw error;
  }
  const read = from.read() as Buffer | null;
  from.destroy();
  return read === null || read.length === 0 ? stream : new HandedOverStream(stream, read);
}

/** What toNetSocket takes last. */
export interface ToNetSocketOptions {
  /** As of net.Socket. Default false. */
  allowHalfOpen?: boolean | undefined;
}

/**
 * Gives a connection to Node: a net.Socket of its own over the same descriptor. The stream is closed as far as its calls go:
 * what waits fails with ECANCELED, later calls with EBADF.
 *
 * @param stream  a SocketStream, or what BufferedReader.handOver() gave of one.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: another stream (toDuplex() it). @throws {SocketError} EBADF: closed.
 * @see https://nodejs.org/api/net.html#new-netsocketoptions
 */
export function toNetSocket(stream: ByteStream, options: ToNetSocketOptions = {}): NetSocket {
  const beneath = stream instanceof HandedOverStream ? stream.beneath : stream;
  if (!(beneath instanceof SocketStream)) throw invalidArgument("stream", "a SocketStream", stream);
  const { allowHalfOpen = false } = options;
  const fd = beneath.socket.detach();
  const first = stream instanceof HandedOverStream ? stream.unwrap().first : undefined;
  let made: NetSocket;
  try {
    made = new NetSocket({ fd, readable: true, writable: true, allowHalfOpen });
  } catch (error) {
    close(fd);
    throw new SocketError("detach", -ECONNABORTED, { text: `Node refused the descriptor: ${String(error)}` });
  }
  if (first !== undefined && first.length > 0) made.unshift(first);
  return made;
}
