// The same with files: a line is read, however many receives that takes.
// node socketserver-stream.js [HOST [PORT]]
import { StreamRequestHandler, TCPServer } from "berkeley/socketserver";

class MyTCPHandler extends StreamRequestHandler {
  override async handle(): Promise<void> {
    const data = (await this.rfile.readline(10_000)).toString().trimEnd();
    console.log(`received from ${this.client_address[0]}: ${data}`);
    await this.wfile.write(`${data.toUpperCase()}\n`);
  }
}

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 9999);

await using server = new TCPServer([host, port], MyTCPHandler);
console.log("listening on", ...(server.server_address as [string, number]));
await server.serve_forever();
