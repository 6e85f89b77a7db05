// A handler class, and a server that makes one of it for each connection.
// node socketserver-tcp.js [HOST [PORT]]
import { BaseRequestHandler, TCPServer } from "berkeley/socketserver";

class MyTCPHandler extends BaseRequestHandler {
  override async handle(): Promise<void> {
    const data = await this.request.recv(1024);
    console.log(`received from ${this.client_address[0]}: ${data.toString().trim()}`);
    await this.request.sendall(data.toString().toUpperCase());
  }
}

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 9999);

await using server = new TCPServer([host, port], MyTCPHandler);
console.log("listening on", ...(server.server_address as [string, number]));
await server.serve_forever();
