// Two ends of TLS in this process, over whatever connection. It knows what the two ends may be told, and no test.

import { connectTcp, listenTcp, memoryPair } from "berkeley/stream";
import type { ByteStream, SocketListener } from "berkeley/stream";
import { acceptTls, startTls } from "berkeley/tls";
import type { StartTlsOptions, TlsServerSide, TlsStream } from "berkeley/tls";
import { certificates } from "./certificates.ts";

/** The two ends; disposing closes both. */
export interface TlsPair extends AsyncDisposable {
  readonly client: TlsStream;
  readonly server: TlsStream;
}

/** What became of each end of a handshake. */
export type Ends = readonly [
  client: PromiseSettledResult<TlsStream>,
  server: PromiseSettledResult<TlsStream>,
];

/** Both ends of a fresh TCP connection. */
export async function tcpStreams(): Promise<[ByteStream, ByteStream]> {
  const listener: SocketListener = await listenTcp("127.0.0.1");
  const [host, port] = listener.localAddress as [string, number];
  const ends = await Promise.all([connectTcp(host, port), listener.accept()]);
  listener.close();
  return ends;
}

/** The client's options: it trusts the authority, and wants localhost. */
export function clientOptions(options: Partial<StartTlsOptions> = {}): StartTlsOptions {
  return { serverName: "localhost", ca: certificates().authority.certificate, ...options };
}

/** What becomes of a handshake over these streams. */
export async function shake(
  [near, far]: readonly [ByteStream, ByteStream],
  client: Partial<StartTlsOptions>,
  server: TlsServerSide,
): Promise<Ends> {
  return await Promise.allSettled([startTls(near, clientOptions(client)), acceptTls(far, server)]);
}

/** A pair over TCP, or what `streams` gives. */
export async function tlsPair(
  client: Partial<StartTlsOptions> = {},
  server: TlsServerSide = certificates().server,
  streams: () => Promise<[ByteStream, ByteStream]> | [ByteStream, ByteStream] = tcpStreams,
): Promise<TlsPair> {
  const [near, far] = await shake(await streams(), client, server);
  if (near.status === "rejected") throw near.reason;
  if (far.status === "rejected") throw far.reason;
  return {
    client: near.value,
    server: far.value,
    async [Symbol.asyncDispose]() {
      await near.value[Symbol.asyncDispose]();
      await far.value[Symbol.asyncDispose]();
    },
  };
}

/** The streams of a pair in memory. */
export const memoryStreams = (): [ByteStream, ByteStream] => memoryPair();

/** The same stream as something that is no socket, so that TLS has to wrap it. */
export function wrapped(stream: ByteStream): ByteStream {
  return {
    receiveSome: (bytesMax, options) => stream.receiveSome(bytesMax, options),
    sendAll: (data, options) => stream.sendAll(data, options),
    closeWrite: (options) => stream.closeWrite(options),
    close: () => stream.close(),
    get closed() {
      return stream.closed;
    },
    get localAddress() {
      return stream.localAddress;
    },
    get remoteAddress() {
      return stream.remoteAddress;
    },
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}

/** The code of why an end failed; fails when it did not. */
export function refusal(end: PromiseSettledResult<unknown>): string | undefined {
  if (end.status === "fulfilled") throw new Error("the handshake came to its end");
  return (end.reason as { code?: string }).code;
}

/** Closes what came to be. */
export function closeEnds(ends: Ends): void {
  for (const end of ends) if (end.status === "fulfilled") end.value.close();
}
