// Servers of WebSockets for tests, and clients that speak to them in raw bytes. It knows how to run them, not what is said.

import { connect, serve } from "berkeley/websocket";
import type {
  ConnectOptions,
  WebSocketConnection,
  WebSocketHandler,
  WebSocketServeOptions,
} from "berkeley/websocket";
import type { Server } from "berkeley/server";
import { connectTcp, listenTcp, memoryPair } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";

/** RFC 6455's example of a request. */
export const REQUEST =
  "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";

/** Sends every message back, as fast as can be. */
export const echo: WebSocketHandler = (socket) => socket.each((message) => socket.send(message));

/** A server that ends with its test. */
export interface Serving extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  /** What onError was told. */
  readonly errors: unknown[];
  connect(options?: ConnectOptions): Promise<WebSocketConnection>;
  /** A client in raw bytes, whose handshake is done. */
  raw(lines?: string, behind?: Buffer): Promise<RawSocket>;
}

/** Starts a server at a port that the system picks. */
export async function serving(
  handle: WebSocketHandler = echo,
  options: Partial<WebSocketServeOptions> = {},
): Promise<Serving> {
  const errors: unknown[] = [];
  const server = await serve({ handle, onError: (error) => errors.push(error), ...options });
  const [, port] = server.localAddress as [string, number];
  const url = `ws://127.0.0.1:${port}/chat`;
  return {
    server,
    port,
    url,
    errors,
    connect: (more) => connect(url, more),
    raw: async (lines = "", behind = Buffer.alloc(0)) =>
      openRaw(await connectTcp("127.0.0.1", port), lines, behind),
    async [Symbol.asyncDispose]() {
      await server.shutdown({ deadlineMs: 0 });
    },
  };
}

/** A connection in raw bytes. */
export class RawSocket implements AsyncDisposable {
  readonly stream: ByteStream;
  /** The answer to the handshake, with its empty line. */
  readonly answer: string;
  #rest: Buffer;

  constructor(stream: ByteStream, answer: string, rest: Buffer) {
    this.stream = stream;
    this.answer = answer;
    this.#rest = rest;
  }

  async send(...pieces: readonly Buffer[]): Promise<void> {
    await this.stream.sendAll(Buffer.concat(pieces));
  }

  /** Exactly so many bytes. */
  async bytes(count: number): Promise<Buffer> {
    while (this.#rest.length < count) {
      const more = await this.stream.receiveSome();
      if (more.length === 0) throw new Error(`the server ended after ${this.#rest.toString("hex")}`);
      this.#rest = Buffer.concat([this.#rest, more]);
    }
    const bytes = this.#rest.subarray(0, count);
    this.#rest = this.#rest.subarray(count);
    return bytes;
  }

  /** What comes until the server ends; a reset is an end too, if the test `allows` it. */
  async toEnd(resets: boolean = false): Promise<Buffer> {
    const pieces = [this.#rest];
    this.#rest = Buffer.alloc(0);
    try {
      for (;;) {
        const bytes = await this.stream.receiveSome();
        if (bytes.length === 0) break;
        pieces.push(bytes);
      }
    } catch (error) {
      if (!resets) throw error;
    }
    return Buffer.concat(pieces);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stream.close();
  }
}

/** Does the handshake. @param behind  sent in one piece with the request. */
export async function openRaw(stream: ByteStream, lines: string, behind: Buffer): Promise<RawSocket> {
  await stream.sendAll(Buffer.concat([Buffer.from(`${REQUEST}${lines}\r\n`), behind]));
  let bytes = Buffer.alloc(0);
  for (;;) {
    const end = bytes.indexOf("\r\n\r\n");
    if (end >= 0) return new RawSocket(stream, bytes.toString("latin1", 0, end + 4), bytes.subarray(end + 4));
    const more = await stream.receiveSome();
    if (more.length === 0) throw new Error("the server ended inside the handshake");
    bytes = Buffer.concat([bytes, more]);
  }
}

/** Both ends of one WebSocket in memory, and the streams beneath. Small pipes, so that who is not read waits soon. */
export async function memorySockets(
  handle: WebSocketHandler,
  options: Partial<WebSocketServeOptions> & ConnectOptions = {},
): Promise<
  AsyncDisposable & {
    readonly client: WebSocketConnection;
    readonly near: ByteStream;
    readonly far: ByteStream;
  }
> {
  const [near, far] = memoryPair({ bytesMax: 4096 });
  const stop = new AbortController();
  let accepted = false;
  const listener = {
    accept: async (): Promise<ByteStream> => {
      if (!accepted) {
        accepted = true;
        return far;
      }
      return new Promise((_, reject) => {
        stop.signal.addEventListener("abort", () => reject(new Error("closed")));
      });
    },
    close: () => stop.abort(),
    get closed() {
      return stop.signal.aborted;
    },
    localAddress: undefined,
    [Symbol.asyncDispose]: async () => stop.abort(),
  };
  const { signal: _, ...common } = options;
  const server = await serve({ ...common, handle, listener });
  const client = await connect("ws://memory/", { ...options, stream: near });
  return {
    client,
    near,
    far,
    async [Symbol.asyncDispose]() {
      client.terminate();
      await server.shutdown({ deadlineMs: 0 });
    },
  };
}

/** Listens, answers the handshake of one client, and leaves the rest to the test: a server in raw bytes. */
export async function rawServer(
  talk: (stream: ByteStream, request: string) => Promise<void>,
): Promise<AsyncDisposable & { readonly url: string; readonly talked: Promise<void> }> {
  const listener = await listenTcp("127.0.0.1", 0);
  const [, port] = listener.localAddress as [string, number];
  let accepted: ByteStream | undefined;
  const talked = (async () => {
    const stream = await listener.accept();
    accepted = stream;
    let request = "";
    while (!request.includes("\r\n\r\n")) request += (await stream.receiveSome()).toString("latin1");
    await talk(stream, request);
  })();
  talked.catch(() => {});
  return {
    url: `ws://127.0.0.1:${port}/`,
    talked,
    async [Symbol.asyncDispose]() {
      listener.close();
      accepted?.close();
    },
  };
}

/** Runs what is ready to run, a few times over. */
export async function turns(count: number = 20): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Whether a promise still waits when everything else has run. */
export async function waits(promise: Promise<unknown>): Promise<boolean> {
  const WAITS = Symbol("waits");
  return (await Promise.race([promise.catch(() => undefined), turns().then(() => WAITS)])) === WAITS;
}

/** A handler's end: when the connection is gone. */
export async function untilClosed(socket: WebSocketConnection): Promise<void> {
  await socket.closed;
}
