// Each datagram is a request: what came, and the socket to answer with.
// node socketserver-udp.js [HOST [PORT]]
import { BaseRequestHandler, UDPServer } from "berkeley/socketserver";
import type { DatagramRequest } from "berkeley/socketserver";

class MyUDPHandler extends BaseRequestHandler<DatagramRequest> {
  override async handle(): Promise<void> {
    const data = this.request[0].toString().trim();
    const socket = this.request[1];
    console.log(`received from ${this.client_address[0]}: ${data}`);
    await socket.sendto(data.toUpperCase(), this.client_address);
  }
}

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 9999);

await using server = new UDPServer([host, port], MyUDPHandler);
console.log("listening on", ...(server.server_address as [string, number]));
await server.serve_forever();
