// A Node Duplex as a ByteStream: net.Socket, tls.TLSSocket, a child's pipes, whatever a package hands out. It pulls with
// read() and pushes with write(), one at a time, so that Node's buffer below holds what its highWaterMark says. What is on
// the other side of the Duplex it does not know.

import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import { ECONNABORTED, EPIPE, SocketError } from "../../index.ts";
import type { AnyAddress } from "../../index.ts";
import { invalidArgument } from "../../socket/errors.ts";
import { AdaptedStream } from "../adapted.ts";
import type { Done } from "../adapted.ts";

/** What a net.Socket tells of its ends. */
interface Ends {
  readonly localAddress?: unknown;
  readonly localPort?: unknown;
  readonly remoteAddress?: unknown;
  readonly remotePort?: unknown;
}

/** A stream over a Duplex. Make one with fromDuplex(). */
export class DuplexStream extends AdaptedStream {
  /** The Duplex beneath, which belongs to the stream. */
  readonly duplex: Duplex;

  /** @internal */
  constructor(duplex: Duplex) {
    super();
    this.duplex = duplex;
    this.begin(duplex.readableEnded, duplex.writableEnded);
    // An end that was received is no reason to end sending.
    duplex.allowHalfOpen = true;
    duplex.on("readable", () => this.deliver());
    duplex.on("end", () => this.readEnded());
    duplex.on("error", (error) => this.failed(error));
    duplex.on("close", () => this.#gone());
    if (duplex.destroyed) this.#gone();
  }

  get localAddress(): AnyAddress | undefined {
    const { localAddress, localPort } = this.duplex as Ends;
    return addressOf(localAddress, localPort);
  }

  get remoteAddress(): AnyAddress | undefined {
    const { remoteAddress, remotePort } = this.duplex as Ends;
    return addressOf(remoteAddress, remotePort);
  }

  /** All that is buffered. read(n) is not used: with a large n it raises highWaterMark for good. @internal */
  protected read(): Buffer | undefined {
    return (this.duplex.read() as Buffer | null) ?? undefined;
  }

  /** @internal */
  protected write(bytes: Uint8Array, done: Done): void {
    // Some end themselves when what they stand on has ended (tls.TLSSocket).
    if (this.duplex.writableEnded) done(new SocketError("sendall", -EPIPE));
    else this.duplex.write(bytes, done);
  }

  /** @internal */
  protected endWriting(done: Done): void {
    this.duplex.end(done);
  }

  /** @internal */
  protected shut(): void {
    this.duplex.destroy();
  }

  /** Where nobody says why, somebody else destroyed it. */
  #gone(): void {
    this.gone(new SocketError("recv", -ECONNABORTED, { text: "the Duplex was destroyed" }));
  }
}

function addressOf(host: unknown, port: unknown): AnyAddress | undefined {
  if (typeof host !== "string" || typeof port !== "number") return undefined;
  return isIP(host) === 6 ? [host, port, 0, 0] : [host, port];
}

/**
 * Makes a stream of a Duplex, which belongs to it from now on: net.Socket, tls.TLSSocket, what a package gives. Bytes only.
 * Leave its own methods and events alone.
 *
 * @param duplex  not in object mode, without setEncoding(). Its allowHalfOpen becomes true.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: no Duplex, or one whose chunks are no bytes.
 * @see https://nodejs.org/api/stream.html#class-streamduplex
 */
export function fromDuplex(duplex: Duplex): DuplexStream {
  if (typeof duplex?.read !== "function" || typeof duplex.write !== "function")
    throw invalidArgument("duplex", "a Duplex", duplex);
  const { readableObjectMode, writableObjectMode, readableEncoding } = duplex;
  if (readableObjectMode || writableObjectMode || readableEncoding !== null)
    throw invalidArgument("duplex", "a Duplex of bytes", duplex);
  return new DuplexStream(duplex);
}
