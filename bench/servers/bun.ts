// The Bun peer: Bun.listen, Bun's own API, whose sockets call one shared set of handlers.
import { announce, CHUNK_BYTES, chosenJob } from "./control.ts";

// The little of Bun's API that is used here; its types would come with the whole of it.
interface BunSocket {
  data: { held: Uint8Array | undefined };
  write(data: Uint8Array): number;
  end(): void;
  setNoDelay(on: boolean): void;
}
interface Handlers {
  open?(socket: BunSocket): void;
  data(socket: BunSocket, data: Uint8Array): void;
  drain?(socket: BunSocket): void;
}
declare const Bun: {
  listen(options: { hostname: string; port: number; socket: Handlers }): { port: number };
};

/** write() takes what the kernel takes; the rest is held until drain. */
function writeOrHold(socket: BunSocket, data: Uint8Array): void {
  const held = socket.data.held;
  if (held !== undefined) {
    const both = new Uint8Array(held.length + data.length);
    both.set(held);
    both.set(data, held.length);
    socket.data.held = both;
    return;
  }
  const written = socket.write(data);
  if (written < data.length) socket.data.held = data.slice(Math.max(written, 0));
}

const echo: Handlers = {
  data: writeOrHold,
  drain(socket) {
    const held = socket.data.held;
    if (held === undefined) return;
    socket.data.held = undefined;
    writeOrHold(socket, held);
  },
};

const receive: Handlers = {
  data() {},
};

const chunk = new Uint8Array(CHUNK_BYTES);
function fill(socket: BunSocket): void {
  while (socket.write(chunk) === chunk.length);
}
const send: Handlers = { open: fill, data() {}, drain: fill };

/** One byte each way, then this side closes. */
const exchange: Handlers = {
  data(socket, data) {
    socket.write(data);
    socket.end();
  },
};

const jobs = { echo, receive, send, exchange, idle: echo };
const serve = jobs[chosenJob(["echo", "receive", "send", "exchange", "idle"])];

const server = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    ...serve,
    open(socket) {
      socket.setNoDelay(true);
      socket.data = { held: undefined };
      serve.open?.(socket);
    },
  },
});
announce(server.port);
