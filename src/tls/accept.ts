// The server's end: TLS on a connection that was accepted, and listeners whose connections speak TLS. What the server is,
// server-context.ts holds; what a connection then does, tls-stream.ts knows.

import type { SecureContext, TLSSocket, TLSSocketOptions } from "node:tls";
import type { AnyAddress } from "../index.ts";
import { listenTcp } from "../stream/index.ts";
import type { ListenTcpOptions, StreamListener, StreamOptions } from "../stream/index.ts";
import { invalidArgument } from "../socket/errors.ts";
import { TlsError, certificateError } from "./errors.ts";
import { peerCertificateOf, serverSocket, tellSecrets, verifyError } from "./node-socket.ts";
import { TlsServerContext } from "./server-context.ts";
import type { TlsServerOptions } from "./server-context.ts";
import { TlsStream } from "./tls-stream.ts";
import { takeOver } from "./upgrade.ts";
import type { Upgradable } from "./upgrade.ts";

/** A server's context, or what one is made of. Make it once: reading credentials takes a millisecond. */
export type TlsServerSide = TlsServerContext | TlsServerOptions;

function contextFrom(server: TlsServerSide): TlsServerContext {
  return server instanceof TlsServerContext ? server : new TlsServerContext(server);
}

/** Why a client is refused, and otherwise whether it has shown who it is. */
function judge(
  socket: TLSSocket,
  { settings: { clientCertificate } }: TlsServerContext,
  remote: AnyAddress | undefined,
): TlsError | boolean {
  if (clientCertificate === "none") return false;
  if (peerCertificateOf(socket) === undefined)
    return clientCertificate === "optional"
      ? false
      : new TlsError("ERR_TLS_CERTIFICATE_REQUIRED", "the client has sent no certificate", { remote });
  const reason = verifyError(socket);
  return reason === undefined ? true : certificateError(reason, remote);
}

/** TLS begins, and nobody waits for it: the stream's calls do. */
function begin(from: Upgradable, server: TlsServerContext): TlsStream {
  const { alpnProtocols, clientCertificate, handshakeTimeoutMs, hasNames, keyLog } = server.settings;
  const { discardedBytes, stream } = takeOver(from);
  const { localAddress, remoteAddress } = stream;
  const given: TLSSocketOptions = {
    secureContext: server.context,
    requestCert: clientCertificate !== "none",
    rejectUnauthorized: clientCertificate === "required",
  };
  if (alpnProtocols !== undefined) given.ALPNProtocols = alpnProtocols;
  if (hasNames)
    given.SNICallback = (name, done) => {
      void tellContext(server, name, remoteAddress, done);
    };
  const side = serverSocket(stream, given);
  const { socket } = side;
  if (keyLog !== undefined) tellSecrets(socket, keyLog);
  return new TlsStream({
    ...side,
    isServer: true,
    keptCertificate: undefined,
    localAddress,
    remoteAddress,
    discardedBytes,
    handshakeTimeoutMs,
    judge: () => judge(socket, server, remoteAddress),
  });
}

async function tellContext(
  server: TlsServerContext,
  name: string,
  remote: AnyAddress | undefined,
  done: (error: Error | null, context?: SecureContext) => void,
): Promise<void> {
  let context: SecureContext;
  try {
    context = await server.contextFor(name);
  } catch (cause) {
    const what = `there is no identity for ${JSON.stringify(name)}`;
    done(new TlsError("ERR_TLS_SERVER_NAME", what, { remote, cause }));
    return;
  }
  done(null, context);
}

/**
 * Begins TLS as the server on a connection that there is: one that was accepted, or behind STARTTLS.
 *
 * @param from    as of startTls(). Before what a client has sent in the clear is answered, nothing of TLS comes: bytes that a
 *   BufferedReader has buffered were never sent by an honest one; `discardedBytes` counts them.
 * @param server  a context, or the options of one that serves once.
 * @returns when the handshake is over and the client has shown what it must.
 * @throws {TlsError} it failed, or the client is refused; the connection is closed then.
 * @throws {SocketError} the connection broke. @throws the signal's reason.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option.
 */
export async function acceptTls(
  from: Upgradable,
  server: TlsServerSide,
  options?: StreamOptions,
): Promise<TlsStream> {
  const context = contextFrom(server);
  options?.signal?.throwIfAborted();
  const stream = begin(from, context);
  try {
    await stream.handshake(options);
    return stream;
  } catch (error) {
    stream.close();
    throw error;
  }
}

// Why accept() does not wait for the handshake. A client that connects and says nothing would keep all behind it waiting; or
// the listener would accept ahead, without a bound that the server knows of. So the handshake is the connection's own: it
// takes its place in serve(), counts for its timeouts, and a failure is reported as its failure. Go's tls.Listener does the
// same.

/** A listener whose connections speak TLS. Make one with secureListener() or listenTls(). */
export class TlsListener implements StreamListener {
  /** Where connections come from, before TLS. */
  readonly beneath: StreamListener;
  /** To exchange the certificate: `context.setIdentity()`. */
  readonly context: TlsServerContext;

  /** @internal */
  constructor(beneath: StreamListener, context: TlsServerContext) {
    this.beneath = beneath;
    this.context = context;
  }

  /** Pulls one connection; its handshake begins, and its calls wait for that. */
  async accept(options?: StreamOptions): Promise<TlsStream> {
    const stream = await this.beneath.accept(options);
    try {
      return begin(stream, this.context);
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  close(): void {
    this.beneath.close();
  }

  get closed(): boolean {
    return this.beneath.closed;
  }

  get localAddress(): AnyAddress | undefined {
    return this.beneath.localAddress;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.beneath[Symbol.asyncDispose]();
  }
}

/**
 * A listener over another one, for serve(): `serve(secureListener(listener, { certificate, key }), handler)`.
 *
 * @param listener  belongs to it from now on.
 * @throws {TlsError} ERR_TLS_CREDENTIALS. @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE.
 */
export function secureListener(listener: StreamListener, server: TlsServerSide): TlsListener {
  if (typeof listener?.accept !== "function") throw invalidArgument("listener", "a StreamListener", listener);
  return new TlsListener(listener, contextFrom(server));
}

/** Listens at a TCP port for connections that speak TLS. As listenTcp() and secureListener(). */
export async function listenTls(
  host: string,
  port: number,
  server: TlsServerSide,
  options?: ListenTcpOptions,
): Promise<TlsListener> {
  const context = contextFrom(server);
  return new TlsListener(await listenTcp(host, port, options), context);
}
