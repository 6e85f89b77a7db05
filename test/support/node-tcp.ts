// TCP ends from node:net, for tests that need a peer in their own process which is not Berkeley.

import { once } from "node:events";
import { connect, createServer } from "node:net";
import type { AddressInfo, Server, Socket } from "node:net";

/** A connected node:net socket that leaves half-closing to the test. */
export async function nodeConnect(port: number, host = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true });
  await once(socket, "connect");
  return socket;
}

/** All that a node:net socket receives until its peer ends. */
export async function readToEnd(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk)).resume();
  await once(socket, "end");
  return Buffer.concat(chunks);
}

/** A listening node:net server at a port that the system picked, closed when disposed. */
export interface NodeServer extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  /** The next connection. */
  accept(): Promise<Socket>;
}

/** Listens with node:net. */
export async function nodeListen(host = "127.0.0.1"): Promise<NodeServer> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true });
  const sockets: Socket[] = [];
  const waiting: ((socket: Socket) => void)[] = [];
  const all = new Set<Socket>();
  server.on("connection", (socket) => {
    all.add(socket);
    socket.on("error", () => {}); // a test that cares listens itself
    const next = waiting.shift();
    if (next === undefined) sockets.push(socket);
    else next(socket);
  });
  server.listen(0, host);
  await once(server, "listening");
  return {
    server,
    port: (server.address() as AddressInfo).port,
    async accept() {
      return sockets.shift() ?? (await new Promise<Socket>((resolve) => waiting.push(resolve)));
    },
    async [Symbol.asyncDispose]() {
      for (const socket of all) socket.destroy();
      server.close();
      if (server.listening) await once(server, "close");
    },
  };
}

/** A peer that takes nothing for so long is holding its sender back. */
const HELD_BACK_MS = 1000;

/**
 * Writes until the other side takes no more, or all is written.
 *
 * @returns how many bytes were written, in full megabytes; the last of them may wait in this process.
 */
export async function writeUntilHeldBack(socket: Socket, bytesMax: number): Promise<number> {
  const chunk = Buffer.alloc(1 << 20, "z");
  let written = 0;
  while (written < bytesMax) {
    written += chunk.length;
    if (socket.write(chunk)) continue;
    const idle = new AbortController();
    const drained = once(socket, "drain", { signal: idle.signal }).then(
      () => true,
      () => false,
    );
    const timer = setTimeout(() => idle.abort(), HELD_BACK_MS);
    const goesOn = await drained;
    clearTimeout(timer);
    if (!goesOn) break;
  }
  return written;
}
