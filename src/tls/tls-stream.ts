// TLS as a ByteStream: what a TLSSocket pushes is received, what is sent is written to it, and both wait for the handshake.
// How the TLSSocket was made, and what is asked of the peer, the files of the two ends know.
//
// Why push() is replaced. A Readable would hold what comes, announce it in a later tick, and join it; here somebody mostly
// waits for it. And that an end is TLS's own, and not the connection's, can be told at the moment of the push only.

import { X509Certificate } from "node:crypto";
import type { CipherNameAndProtocol, TLSSocket } from "node:tls";
import { ECANCELED, ECONNABORTED, EPIPE, SocketError } from "../index.ts";
import type { AnyAddress } from "../index.ts";
import { checkInteger } from "../socket/base.ts";
import { invalidArgument, invalidState } from "../socket/errors.ts";
import { AdaptedStream } from "../stream/adapted.ts";
import type { Done } from "../stream/adapted.ts";
import type { StreamOptions } from "../stream/index.ts";
import { Waiter } from "../stream/waiter.ts";
import { bindingOf, checkBinding } from "./channel-binding.ts";
import type { ChannelBinding } from "./channel-binding.ts";
import { TlsError, errorOf } from "./errors.ts";
import { peerCertificateOf, readOn } from "./node-socket.ts";
import type { NodeSide } from "./node-socket.ts";

/** What is held for who does not receive, as much as one read of Node's brings; what is read beyond waits in the kernel. */
const HELD_BYTES_MAX = 65_536;
/** What each record costs besides its bytes, so that records of one byte are held in no greater number. */
const RECORD_COST_BYTES = 256;
/** How long a stream that is wrapped may take the close_notify of a close(), before it is closed without. */
const CLOSE_NOTIFY_TIMEOUT_MS = 1_000;
/** What a stream needs of who made it. @internal */
export interface TlsEnd extends NodeSide {
  readonly isServer: boolean;
  readonly localAddress: AnyAddress | undefined;
  readonly remoteAddress: AnyAddress | undefined;
  readonly discardedBytes: number;
  readonly handshakeTimeoutMs: number;
  /** Of a client that offers a session: the certificate that its server has shown, DER. */
  readonly keptCertificate: Buffer | undefined;
  /** Called when the handshake is over: why the peer is refused, and otherwise whether it is who it should be. */
  readonly judge: () => TlsError | boolean;
}

/** What is known once the handshake is over. */
interface Agreed {
  readonly protocol: string;
  readonly cipher: CipherNameAndProtocol;
  readonly alpnProtocol: string | undefined;
  readonly serverName: string | undefined;
  readonly resumed: boolean;
  readonly authorized: boolean;
  /** The peer's, DER. */
  readonly certificate: Buffer | undefined;
}

/**
 * A TLS connection. Its calls wait for the handshake; when that fails they fail with its TlsError.
 *
 * The end that receiveSome() tells is TLS's own (close_notify). A connection that ends without one fails with
 * ERR_TLS_TRUNCATED, after all that came: somebody may have cut it. closeWrite() sends a close_notify, and so does close(),
 * unless a send waits.
 */
export class TlsStream extends AdaptedStream {
  /** This side's address, as of the stream beneath. */
  readonly localAddress: AnyAddress | undefined;
  /** The peer's. */
  readonly remoteAddress: AnyAddress | undefined;
  /** Bytes that had come in the clear before the upgrade and were thrown away: more than 0 is an attack, or a bug. */
  readonly discardedBytes: number;
  readonly #end: TlsEnd;
  readonly #socket: TLSSocket;
  /** Records that were not received yet. */
  readonly #records: Buffer[] = [];
  #held = 0;
  #reading = true;
  /** What ends the receiving, when the records have been received. */
  #last: (() => void) | undefined = undefined;
  /** The write that waits for the handshake. */
  #first: (() => void) | undefined = undefined;
  #done: Done = () => undefined;
  #agreed: Agreed | undefined = undefined;
  /** Whether it is in use: a turn of the loop after the handshake. */
  #open = false;
  /** Decides whether an end was a cut. */
  #cut: NodeJS.Immediate | undefined = undefined;
  #failure: Error | undefined = undefined;
  #handshakes: Waiter<void>[] = [];
  readonly #timer: NodeJS.Timeout | undefined;
  #certificate: X509Certificate | undefined = undefined;

  /** @internal */
  constructor(end: TlsEnd) {
    super();
    this.#end = end;
    this.localAddress = end.localAddress;
    this.remoteAddress = end.remoteAddress;
    this.discardedBytes = end.discardedBytes;
    const { handshakeTimeoutMs, socket } = end;
    this.#socket = socket;
    socket.push = (bytes: Buffer | null): boolean => this.#push(bytes);
    socket.once(end.isServer ? "secure" : "secureConnect", () => this.#secured());
    socket.on("error", (error) =>
      this.#broke(errorOf(error, this.#agreed !== undefined, this.remoteAddress)),
    );
    socket.once("close", () => this.#gone());
    if (handshakeTimeoutMs < Infinity)
      this.#timer = setTimeout(
        () =>
          this.#broke(this.#error("ERR_TLS_HANDSHAKE_TIMEOUT", `no handshake in ${handshakeTimeoutMs} ms`)),
        handshakeTimeoutMs,
      );
  }

  /**
   * Waits for the end of the handshake. No call needs it; it is for what is known from then on.
   *
   * @throws {TlsError} why it failed. @throws {SocketError} the connection broke; ECANCELED: closed meanwhile.
   * @throws the signal's reason; the handshake goes on.
   */
  handshake(options?: StreamOptions): Promise<void> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#open) return Promise.resolve();
    const waiter = new Waiter<void>(signal, (left) => {
      this.#handshakes = this.#handshakes.filter((other) => other !== left);
    });
    this.#handshakes.push(waiter);
    return waiter.promise;
  }

  /** What waits on it holds the process alive, as it does from the beginning. Over a stream that is no socket's: does nothing. */
  ref(): this {
    this.#socket.ref();
    return this;
  }

  /** What waits on it does not hold the process alive. */
  unref(): this {
    this.#socket.unref();
    return this;
  }

  /** "TLSv1.3". This and what follows is undefined until the handshake is over. */
  get protocol(): string | undefined {
    return this.#agreed?.protocol;
  }

  /** The cipher: OpenSSL's name, the standard's, and the version that brought it. */
  get cipher(): CipherNameAndProtocol | undefined {
    return this.#agreed?.cipher;
  }

  /** The application protocol that both have agreed on (ALPN); undefined: none. */
  get alpnProtocol(): string | undefined {
    return this.#agreed?.alpnProtocol;
  }

  /** The name that the client asked for (SNI); undefined: none, as with an address. */
  get serverName(): string | undefined {
    return this.#agreed?.serverName;
  }

  /** Whether an earlier session was resumed. */
  get resumed(): boolean | undefined {
    return this.#agreed?.resumed;
  }

  /** Whether the peer has a certificate of somebody who is trusted, and of a server the name that it should have. */
  get authorized(): boolean | undefined {
    return this.#agreed?.authorized;
  }

  /** The peer's certificate; undefined: it has sent none. */
  get peerCertificate(): X509Certificate | undefined {
    const der = this.#agreed?.certificate;
    if (der === undefined) return undefined;
    return (this.#certificate ??= new X509Certificate(der));
  }

  /**
   * Bytes that only the two ends of this connection can know.
   *
   * @param label    what they are for, as registered: "EXPORTER-…".
   * @param context  what they are bound to besides.
   * @throws {TypeError} ERR_INVALID_STATE: before the handshake or after close(). ERR_INVALID_ARG_TYPE.
   * @see RFC 8446 section 7.5, RFC 5705
   */
  exportKeyingMaterial(length: number, label: string, context?: Uint8Array): Buffer {
    checkInteger("length", length, 1, 8192);
    if (typeof label !== "string" || /[^ -~]/.test(label) || label === "")
      throw invalidArgument("label", "visible ASCII characters", label);
    this.#checkSecured();
    // Node takes a context that was not given for none, and an empty one for an empty one: in TLS 1.2 they differ.
    return context === undefined
      ? this.#socket.exportKeyingMaterial(length, label, undefined as unknown as Buffer)
      : this.#socket.exportKeyingMaterial(length, label, Buffer.from(context));
  }

  /**
   * What ties a login (SCRAM-…-PLUS) to this connection, so that nobody between can pass it on.
   *
   * - `tls-exporter`: of this connection alone; TLS 1.3. RFC 9266.
   * - `tls-server-end-point`: of the server's certificate; every version. RFC 5929 section 4.
   *
   * @throws {TlsError} ERR_TLS_CHANNEL_BINDING: TLS 1.2 has no safe exporter here; the certificate's signature has no hash
   *   of its own (Ed25519), or there is no certificate.
   * @throws {TypeError} ERR_INVALID_STATE: before the handshake or after close(). ERR_INVALID_ARG_TYPE: another binding.
   */
  channelBinding(type: ChannelBinding): Buffer {
    checkBinding(type);
    this.#checkSecured();
    const certificate = this.#end.isServer
      ? this.#socket.getX509Certificate()?.raw
      : this.#agreed?.certificate;
    const found = bindingOf(type, this.#socket, certificate);
    if (Buffer.isBuffer(found)) return found;
    throw this.#error("ERR_TLS_CHANNEL_BINDING", found);
  }

  /** @internal */
  protected read(): Buffer | undefined {
    if (!this.#open) return undefined;
    const record = this.#records.shift();
    if (record === undefined) return undefined;
    this.#held -= record.length + RECORD_COST_BYTES;
    if (!this.#reading && this.#held < HELD_BYTES_MAX && !this.#socket.destroyed) {
      this.#reading = true;
      readOn(this.#socket);
    }
    // Behind the receiver of this record.
    if (this.#records.length === 0 && this.#last !== undefined) queueMicrotask(this.#last);
    return record;
  }

  /** @internal */
  protected write(bytes: Uint8Array, done: Done): void {
    if (!this.#open) this.#first = (): void => this.write(bytes, done);
    else if (this.#socket.writableEnded || this.#socket.destroyed) done(this.#broken());
    else {
      this.#done = done;
      this.#socket.write(bytes, this.#written);
    }
  }

  /** @internal */
  protected endWriting(done: Done): void {
    if (!this.#open) this.#first = (): void => this.endWriting(done);
    // Nobody is left to be told.
    else if (this.#socket.destroyed) done();
    else this.#socket.end(() => done());
  }

  /** @internal */
  protected shut(busy: boolean): void {
    const socket = this.#socket;
    this.#records.length = 0;
    clearImmediate(this.#cut);
    if (!this.#open) this.#broke(new SocketError("handshake", -ECANCELED));
    // A close_notify behind the half of a send would say that it was all of it.
    else if (!busy && !socket.writableEnded && !socket.destroyed) {
      socket.end();
      // A stream that is wrapped takes it a few turns later, if it takes it.
      if (!this.#end.isDirect) {
        const timer = setTimeout(() => socket.destroy(), CLOSE_NOTIFY_TIMEOUT_MS);
        socket.once("finish", () => socket.destroy()).once("close", () => clearTimeout(timer));
        return;
      }
    }
    socket.destroy();
  }

  #push(bytes: Buffer | null): boolean {
    if (bytes === null) this.#ended();
    else if (!this.closed && this.#failure === undefined) {
      if (this.#open && this.#held === 0 && this.offer(bytes)) return this.#reading;
      this.#records.push(bytes);
      this.#held += bytes.length + RECORD_COST_BYTES;
      this.deliver();
      this.#reading = this.#held < HELD_BYTES_MAX;
    }
    return this.#reading;
  }

  #ended(): void {
    if (this.#agreed === undefined)
      this.#broke(this.#error("ERR_TLS_HANDSHAKE_ENDED", "the peer ended before the handshake was done"));
    else if (this.#cut === undefined && this.#end.isTruncated())
      this.#cut = setImmediate(() => this.#truncated());
    else {
      clearImmediate(this.#cut);
      this.#afterRecords(() => this.readEnded());
    }
  }

  // What ends the connection can make OpenSSL find a close_notify that it had left unread (it does so when this side has
  // ended first, and a ticket comes before). Node then tells of two ends at once: of TLS, and of the connection.
  #truncated(): void {
    const error = this.#error("ERR_TLS_TRUNCATED", "the connection ended, and the peer had not ended TLS");
    this.#afterRecords(() => this.failed(error));
  }

  /** What came before is received first. */
  #afterRecords(last: () => void): void {
    if (this.#last !== undefined) return;
    this.#last = last;
    if (this.#open && this.#records.length === 0) last();
  }

  #secured(): void {
    let verdict: TlsError | boolean;
    try {
      verdict = this.#end.judge();
    } catch (error) {
      this.#broke(error as Error);
      return;
    }
    if (typeof verdict !== "boolean") {
      this.#broke(verdict);
      return;
    }
    clearTimeout(this.#timer);
    const socket = this.#socket;
    const resumed = socket.isSessionReused();
    this.#agreed = {
      protocol: socket.getProtocol() as string,
      cipher: socket.getCipher(),
      alpnProtocol: socket.alpnProtocol || undefined,
      serverName: socket.servername || undefined,
      resumed,
      authorized: verdict,
      certificate: peerCertificateOf(socket) ?? (resumed ? this.#end.keptCertificate : undefined),
    };
    setImmediate(() => this.#opened());
  }

  // Node tells of the end of the handshake from inside of it: a server of TLS 1.3 has tickets to send yet, and a close_notify
  // that is sent before is none. So nobody does anything with the stream before OpenSSL has returned.
  #opened(): void {
    if (this.#failure !== undefined) return;
    this.#open = true;
    for (const waiter of this.#handshakes.splice(0)) waiter.resolve();
    const first = this.#first;
    this.#first = undefined;
    first?.();
    // What is held is received, or the end of it told.
    if (this.#records.length === 0) this.#last?.();
    this.deliver();
  }

  /** Nothing more comes and nothing more goes. */
  #broke(error: Error): void {
    if (this.#failure === undefined) {
      this.#failure = error;
      clearTimeout(this.#timer);
      for (const waiter of this.#handshakes.splice(0)) waiter.reject(error);
      this.#over(error);
    }
    this.#socket.destroy();
  }

  /** Where nobody says why, the connection beneath was closed. */
  #gone(): void {
    if (this.#agreed === undefined)
      this.#broke(
        this.#error("ERR_TLS_HANDSHAKE_ENDED", "the connection ended before the handshake was done"),
      );
    else this.#over(this.#failure ?? new SocketError("recv", -ECONNABORTED, { remote: this.remoteAddress }));
  }

  #over(error: Error): void {
    // An end that came before it is what receivers are told; who sends is told of this.
    if (!this.#open || this.#records.length === 0) this.gone(error);
    else this.#afterRecords(() => this.gone(error));
  }

  readonly #written = (error?: Error | null): void => {
    const done = this.#done;
    this.#done = () => undefined;
    if (error === undefined || error === null) done();
    else done(this.#failure ?? errorOf(error, true, this.remoteAddress));
  };

  #broken(): Error {
    return this.#failure ?? new SocketError("sendall", -EPIPE, { remote: this.remoteAddress });
  }

  #checkSecured(): void {
    if (!this.#open) throw invalidState("the handshake is not over");
    if (this.#socket.destroyed) throw invalidState("the connection is closed");
  }

  #error(code: TlsError["code"], what: string): TlsError {
    return new TlsError(code, what, { remote: this.remoteAddress });
  }
}
