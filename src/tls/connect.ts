// The client's end: TLS to a TCP service, and on a connection that there is. Who the server must be, and how that is checked,
// is here; what a connection then does, tls-stream.ts knows.

import { X509Certificate } from "node:crypto";
import { checkServerIdentity } from "node:tls";
import type { ConnectionOptions, PeerCertificate, TLSSocket } from "node:tls";
import { isIP } from "node:net";
import type { AnyAddress } from "../index.ts";
import { invalidArgument } from "../socket/errors.ts";
import { connectTcp } from "../stream/index.ts";
import type { ConnectTcpOptions, StreamOptions } from "../stream/index.ts";
import { contextOf } from "./credentials.ts";
import { TlsError, certificateError } from "./errors.ts";
import { clientSocket, contained, tellSecrets, verifyError } from "./node-socket.ts";
import { checkIdentity, checkServerName, checkTlsOptions } from "./options.ts";
import type { CheckedTlsOptions, TlsIdentity, TlsOptions } from "./options.ts";
import { formatSession, isGood, parseSession, trustOf } from "./session.ts";
import type { KeptSession } from "./session.ts";
import { TlsStream } from "./tls-stream.ts";
import { takeOver } from "./upgrade.ts";
import type { Upgradable } from "./upgrade.ts";

/** What a client may be told. `ca`: default the roots that Node brings, and those of NODE_EXTRA_CA_CERTS. */
export interface TlsClientOptions extends TlsOptions, StreamOptions {
  /** Who the client is, for a server that asks. Default nobody. */
  readonly identity?: TlsIdentity | undefined;
  /**
   * False: the server may be anybody. What is sent can be read and changed by whoever is between; `authorized` tells whether
   * the certificate would have been refused. Default true; NODE_TLS_REJECT_UNAUTHORIZED is not looked at.
   */
  readonly verifyPeer?: boolean | undefined;
  /**
   * Judges the server by its certificate, beyond who has signed it: throws to refuse. Default tls.checkServerIdentity of
   * Node's, which compares the name (RFC 6125). One that pins a key should call that too.
   */
  readonly checkIdentity?: ((serverName: string, certificate: PeerCertificate) => void) | undefined;
  /**
   * What onSession of an earlier connection to the same server was given: it is resumed, if the server agrees, and if `ca` and
   * `crl` are what they were and its certificate is still in its time.
   */
  readonly session?: Uint8Array | undefined;
  /**
   * Given each session that the server offers, at any time (TLS 1.3: at any time after the handshake). One of TLS 1.3 should
   * serve once. It is secret as the connection is.
   */
  readonly onSession?: ((session: Buffer) => void) | undefined;
}

/** What startTls takes last. */
export interface StartTlsOptions extends TlsClientOptions {
  /** The server's name or address: what it is asked for (SNI), and what its certificate must be for. */
  readonly serverName: string;
}

/** What connectTls takes last. `signal` is for connecting and the handshake. */
export interface ConnectTlsOptions extends TlsClientOptions, ConnectTcpOptions {
  /** Default: the host. */
  readonly serverName?: string | undefined;
}

interface CheckedClientOptions extends CheckedTlsOptions {
  readonly serverName: string;
  readonly identity: TlsIdentity | undefined;
  readonly verifyPeer: boolean;
  readonly checkIdentity: TlsClientOptions["checkIdentity"];
  readonly session: KeptSession | undefined;
  readonly trust: Buffer;
  readonly onSession: ((session: Buffer) => void) | undefined;
}

function checkClientOptions(options: TlsClientOptions, serverName: string): CheckedClientOptions {
  const { checkIdentity: check, identity, onSession, session, verifyPeer = true } = options;
  if (typeof verifyPeer !== "boolean") throw invalidArgument("options.verifyPeer", "a boolean", verifyPeer);
  for (const [name, given] of Object.entries({ checkIdentity: check, onSession }))
    if (given !== undefined && typeof given !== "function")
      throw invalidArgument(`options.${name}`, "a function", given);
  const kept = session instanceof Uint8Array ? parseSession(session) : undefined;
  if (session !== undefined && kept === undefined)
    throw invalidArgument("options.session", "what onSession was given", typeof session);
  const checked = checkTlsOptions(options);
  const trust = trustOf(checked);
  return {
    ...checked,
    trust,
    serverName: checkServerName("options.serverName", serverName),
    identity: identity === undefined ? undefined : checkIdentity("options.identity", identity),
    verifyPeer,
    checkIdentity: check,
    session: kept !== undefined && isGood(kept, trust) ? kept : undefined,
    onSession,
  };
}

/** Why the server is not who it should be; undefined: it is. */
function objection(
  { checkIdentity: check, serverName }: CheckedClientOptions,
  certificate: PeerCertificate,
): Error | undefined {
  if (check === undefined) return checkServerIdentity(serverName, certificate);
  try {
    check(serverName, certificate);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

// Node looks at the name in a new session only (session.ts says why that matters): here it is looked at each time.
function judge(
  socket: TLSSocket,
  options: CheckedClientOptions,
  remote: AnyAddress | undefined,
): TlsError | boolean {
  const reason = verifyError(socket);
  const refusal =
    reason === undefined ? nameRefusal(socket, options, remote) : certificateError(reason, remote);
  if (refusal === undefined) return true;
  return options.verifyPeer ? refusal : false;
}

function nameRefusal(
  socket: TLSSocket,
  options: CheckedClientOptions,
  remote: AnyAddress | undefined,
): TlsError | undefined {
  const kept = socket.isSessionReused() ? options.session?.certificate : undefined;
  const certificate =
    kept === undefined ? socket.getPeerCertificate(true) : new X509Certificate(kept).toLegacyObject();
  const found = objection(options, certificate);
  if (found === undefined) return undefined;
  const what = `the certificate is not for ${options.serverName}: ${found.message}`;
  return new TlsError("ERR_TLS_CERTIFICATE_NAME", what, { remote, cause: found });
}

/**
 * Begins TLS as the client on a connection that there is: behind STARTTLS, through a proxy, over memory.
 *
 * @param from     belongs to TLS from now on. A SocketStream gives its descriptor away (what waits on it fails with ECANCELED,
 *   its timeout is gone); another stream is wrapped. Of a BufferedReader what is buffered is thrown away: `discardedBytes`.
 * @returns when the handshake is over and the server is who it should be.
 * @throws {TlsError} it is not, or the handshake failed; the connection is closed then.
 * @throws {SocketError} the connection broke. @throws the signal's reason.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option.
 * @see RFC 8446, RFC 5246, RFC 6125
 */
export async function startTls(from: Upgradable, options: StartTlsOptions): Promise<TlsStream> {
  const checked = checkClientOptions(options, options?.serverName);
  const { signal } = options;
  signal?.throwIfAborted();
  const stream = begin(from, checked);
  try {
    await stream.handshake({ signal });
    return stream;
  } catch (error) {
    stream.close();
    throw error;
  }
}

function begin(from: Upgradable, options: CheckedClientOptions): TlsStream {
  const { alpnProtocols, handshakeTimeoutMs, identity, keyLog, onSession } = options;
  const { serverName, session, trust, verifyPeer } = options;
  const secureContext = contextOf(options, identity);
  const { discardedBytes, stream } = takeOver(from);
  const { localAddress, remoteAddress } = stream;
  const given: ConnectionOptions = {
    secureContext,
    rejectUnauthorized: verifyPeer,
    checkServerIdentity: () => undefined,
  };
  if (alpnProtocols !== undefined) given.ALPNProtocols = alpnProtocols;
  if (session !== undefined) given.session = session.session;
  // RFC 6066 section 3: an address is no name to ask for.
  if (isIP(serverName) === 0) given.servername = serverName;
  const side = clientSocket(stream, given);
  const { socket } = side;
  if (keyLog !== undefined) tellSecrets(socket, keyLog);
  const made = new TlsStream({
    ...side,
    isServer: false,
    keptCertificate: session?.certificate,
    localAddress,
    remoteAddress,
    discardedBytes,
    handshakeTimeoutMs,
    judge: () => judge(socket, options, remoteAddress),
  });
  // Not a session of a server that was refused.
  if (onSession !== undefined)
    socket.on(
      "session",
      contained(socket, (offered: Buffer) => {
        const certificate = made.peerCertificate?.raw;
        if (certificate !== undefined) onSession(formatSession({ certificate, session: offered, trust }));
      }),
    );
  return made;
}

/**
 * Connects to a TCP service that speaks TLS from the start: connectTcp(), then startTls().
 *
 * @param host  a name or a numeric address; the certificate must be for it, or for `serverName`.
 * @throws as connectTcp() and startTls().
 */
export async function connectTls(
  host: string,
  port: number | string,
  options: ConnectTlsOptions = {},
): Promise<TlsStream> {
  const serverName = options.serverName ?? host;
  // What is wrong with the options is said before anybody is connected to.
  checkClientOptions(options, serverName);
  const stream = await connectTcp(host, port, options);
  try {
    return await startTls(stream, { ...options, serverName });
  } catch (error) {
    stream.close();
    throw error;
  }
}
