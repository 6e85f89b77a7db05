// The node:net peer: what a Node programmer writes, with data events and the stream's own buffering.
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { announce, BACKLOG, CHUNK_BYTES, chosenJob, ignoreDeparture, target } from "./control.ts";

function echo(socket: Socket): void {
  socket.on("data", (data) => {
    if (!socket.write(data)) {
      socket.pause();
      socket.once("drain", () => socket.resume());
    }
  });
}

function receive(socket: Socket): void {
  socket.on("data", () => {});
}

function send(socket: Socket): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const fill = (): void => {
    while (socket.write(chunk));
  };
  socket.on("drain", fill);
  fill();
}

/** One byte each way, then this side closes. */
function exchange(socket: Socket): void {
  socket.once("data", (data) => {
    socket.write(data);
    socket.destroySoon();
  });
}

function relay(socket: Socket): void {
  const onward = connect({ host: "127.0.0.1", port: target.port, noDelay: true });
  onward.on("error", ignoreDeparture);
  socket.on("close", () => onward.destroy());
  socket.pipe(onward).pipe(socket);
}

const jobs = { echo, receive, send, exchange, idle: echo, relay };
const serve = jobs[chosenJob(["echo", "receive", "send", "exchange", "idle", "relay"])];

const server = createServer({ noDelay: true }, (socket) => {
  socket.on("error", ignoreDeparture);
  serve(socket);
});
server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG }, () => {
  announce((server.address() as AddressInfo).port);
});
