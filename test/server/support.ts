// Servers for tests: one at a port that the system picks, clients of it, handlers that wait for the test's word.

import { serve } from "berkeley/server";
import type { Handler, ServeOptions, Server } from "berkeley/server";
import { connectTcp, listenTcp } from "berkeley/stream";
import type { ByteStream, SocketStream } from "berkeley/stream";

/** A server, and a way to it. Disposing stops it at once. */
export interface Served extends AsyncDisposable {
  readonly server: Server<SocketStream>;
  readonly port: number;
  connect(): Promise<SocketStream>;
}

/** Serves at 127.0.0.1. */
export async function served(
  handler: Handler<SocketStream>,
  options: ServeOptions<SocketStream> = {},
): Promise<Served> {
  const listener = await listenTcp("127.0.0.1");
  const [, port] = listener.localAddress as [string, number];
  const server = serve(listener, handler, options);
  return {
    server,
    port,
    connect: () => connectTcp("127.0.0.1", port),
    [Symbol.asyncDispose]: async () => {
      await server.shutdown({ deadlineMs: 0 });
    },
  };
}

/** Sends everything back. */
export async function echo(stream: ByteStream): Promise<void> {
  for (;;) {
    const bytes = await stream.receiveSome();
    if (bytes.length === 0) return;
    await stream.sendAll(bytes);
  }
}

/** Sends a text and gives what comes back, as long. */
export async function ask(stream: ByteStream, text: string): Promise<string> {
  await stream.sendAll(text);
  const answer: Buffer[] = [];
  for (let missing = Buffer.byteLength(text); missing > 0; ) {
    const bytes = await stream.receiveSome(missing);
    if (bytes.length === 0) throw new Error(`ended after ${Buffer.concat(answer).toString()}`);
    answer.push(bytes);
    missing -= bytes.length;
  }
  return Buffer.concat(answer).toString();
}

/** Everything until the peer's end. */
export async function readAll(stream: ByteStream): Promise<string> {
  const all: Buffer[] = [];
  for (;;) {
    const bytes = await stream.receiveSome();
    if (bytes.length === 0) return Buffer.concat(all).toString();
    all.push(bytes);
  }
}

/** Something that is waited for and that the test lets happen. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

/** Waits until a condition holds, looking at each turn of the loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** A process warning of ours. */
export type Warning = Error & { readonly code: string; readonly detail?: string };

/** The next process warning with this code. */
export function warning(code: string): Promise<Warning> {
  return new Promise((resolve) => {
    const listen = (warned: Error): void => {
      if (!("code" in warned) || warned.code !== code) return;
      process.off("warning", listen);
      resolve(warned as Warning);
    };
    process.on("warning", listen);
  });
}
