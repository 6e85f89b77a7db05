// The Bun peer: Bun.serve with its own WebSockets, and its own topics.
import { announce, chosenJob } from "./control.ts";

interface BunWebSocket {
  send(data: string | Uint8Array): number;
  subscribe(topic: string): void;
}
interface BunServer {
  readonly port: number;
  upgrade(request: Request): boolean;
  publish(topic: string, data: string | Uint8Array): number;
}
declare const Bun: {
  serve(options: {
    hostname: string;
    port: number;
    fetch(request: Request, server: BunServer): Response | undefined;
    websocket: {
      open(socket: BunWebSocket): void;
      message(socket: BunWebSocket, message: string | Uint8Array): void;
    };
  }): BunServer;
};

const job = chosenJob(["ws-echo", "ws-idle", "ws-broadcast"]);
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  fetch: (request, own) => (own.upgrade(request) ? undefined : new Response("no", { status: 400 })),
  websocket: {
    open(socket) {
      if (job === "ws-broadcast") socket.subscribe("all");
    },
    message(socket, message) {
      if (job === "ws-broadcast") server.publish("all", message);
      else socket.send(message);
    },
  },
});
announce(server.port);
