// The two ends of TLS for the commands: what their options mean to berkeley/tls. It reads the files and opens nothing.

import { readFileSync } from "node:fs";
import type { RequestTls } from "../http/index.ts";
import type { Socket } from "../index.ts";
import type { Handler } from "../server/connection.ts";
import { SocketStream } from "../stream/index.ts";
import type { ByteStream, StreamListener } from "../stream/index.ts";
import { acceptTls, secureListener, startTls, TlsError, TlsServerContext } from "../tls/index.ts";
import type { TlsClientOptions, TlsIdentity, TlsListener, TlsStream } from "../tls/index.ts";
import { streamChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { UsageError } from "./endpoint.ts";
import type { InternetEndpoint } from "./endpoint.ts";
import { EndpointError } from "./failure.ts";
import type { ConnectOptions } from "./open.ts";
import { note } from "./stdio.ts";
import type { TlsFlags, TlsRoles } from "./tls-options.ts";

/** TLS as a command's options have it. */
export interface TlsEnds {
  /**
   * The channel of a connection to a server, when its handshake is over and the server is who it should be.
   *
   * @throws {EndpointError} its cause is a TlsError or SocketError.
   */
  connect(conn: Socket, endpoint: InternetEndpoint, options: ConnectOptions): Promise<Channel>;
  /**
   * The channel of a connection that was accepted, when its handshake is over.
   *
   * @throws {TlsError} @throws {SocketError} @throws the signal's reason.
   */
  accept(conn: Socket, signal: AbortSignal | undefined): Promise<Channel>;
  /** What is wrong with the files is a matter of the command line. */
  usageOf(error: unknown): UsageError | undefined;
  /** What a client that opens its own connections is told. */
  readonly client: TlsClientOptions;
  /** The connections of a listener, each when its handshake is over. */
  listener(listener: StreamListener): TlsListener;
  /** A handler that gets its connections when the handshake is over. */
  secured(handler: Handler<SocketStream>): Handler<SocketStream>;
}

/** @throws {UsageError} a file is not what it should be. */
export function tlsEnds(flags: TlsFlags, { connects, listens }: TlsRoles): TlsEnds {
  const ca = flags.ca === undefined ? undefined : read("--ca", flags.ca);
  const identity = identityOf(flags);
  // Of a command that does both, the certificate is what it listens with, and --ca judges whom it connects to.
  const server =
    listens && identity !== undefined ? serverOf(identity, connects ? undefined : ca) : undefined;
  const own = listens ? undefined : identity;
  // What is wrong with it is said before anybody is connected to.
  if (own !== undefined) serverOf(own, undefined);
  if (flags.insecure === true)
    note("--insecure: any server will do; who is on the way can read and change everything");

  const client: TlsClientOptions = { ca, identity: own, verifyPeer: flags.insecure !== true };
  const accept = async (stream: ByteStream, signal?: AbortSignal): Promise<TlsStream> => {
    if (server === undefined) throw new Error("there is no certificate to listen with");
    return await acceptTls(stream, server, { signal });
  };
  return {
    async connect(conn, endpoint, { signal, timeout }) {
      try {
        const stream = await startTls(new SocketStream(conn), {
          ...client,
          serverName: endpoint.host || "localhost",
          handshakeTimeoutMs: timeout === undefined ? undefined : timeout * 1000,
          signal,
        });
        return streamChannel(stream);
      } catch (error) {
        conn.close();
        throw credentialsAsUsage(error) ?? new EndpointError("connect to", endpoint, error);
      }
    },
    async accept(conn, signal) {
      try {
        return streamChannel(await accept(new SocketStream(conn), signal));
      } catch (error) {
        conn.close();
        throw error;
      }
    },
    usageOf: credentialsAsUsage,
    client,
    listener(listener) {
      if (server === undefined) throw new Error("there is no certificate to listen with");
      return secureListener(listener, server);
    },
    secured: (handler) => async (stream, connection) => {
      await using secure = await accept(stream, connection.stopping);
      await handler(secure, connection);
    },
  };
}

/** What a client of HTTP is told of TLS. @throws {UsageError} a file is not what it should be. */
export function requestTls({ ca, insecure, ...own }: TlsFlags): RequestTls {
  const identity = identityOf(own);
  if (identity !== undefined) serverOf(identity, undefined);
  if (insecure === true)
    note("--insecure: any server will do; who is on the way can read and change everything");
  return { ca: ca === undefined ? undefined : read("--ca", ca), identity, verifyPeer: insecure !== true };
}

function serverOf(identity: TlsIdentity, ca: Buffer | undefined): TlsServerContext {
  try {
    return new TlsServerContext(
      ca === undefined ? identity : { ...identity, ca, clientCertificate: "required" },
    );
  } catch (error) {
    throw credentialsAsUsage(error) ?? error;
  }
}

function identityOf({ cert, key = cert }: TlsFlags): TlsIdentity | undefined {
  if (cert === undefined || key === undefined) return undefined;
  return { certificate: read("--cert", cert), key: read("--key", key) };
}

function read(option: string, path: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    const missing = (error as { code?: string }).code === "ENOENT";
    throw new UsageError(
      `${option} ${path}: ${missing ? "there is no such file" : (error as Error).message}`,
    );
  }
  if (!bytes.includes("-----BEGIN ")) throw new UsageError(`${option} ${path}: it is no PEM file`);
  return bytes;
}

/** What is wrong with the files is a matter of the command line. */
function credentialsAsUsage(error: unknown): UsageError | undefined {
  return error instanceof TlsError && error.code === "ERR_TLS_CREDENTIALS"
    ? new UsageError(error.message)
    : undefined;
}
