// Many requests at once: a client that says nothing does not keep the others waiting. Server and clients in one program.
// node socketserver-threading.js
import { create_connection } from "berkeley";
import { BaseRequestHandler, ThreadingTCPServer } from "berkeley/socketserver";

class ThreadedTCPRequestHandler extends BaseRequestHandler {
  override async handle(): Promise<void> {
    const data = (await this.request.recv(1024)).toString();
    await this.request.sendall(`answer to ${data}`);
  }
}

class ThreadedTCPServer extends ThreadingTCPServer {}

async function client(ip: string, port: number, message: string): Promise<void> {
  await using sock = await create_connection([ip, port]);
  await sock.sendall(message);
  const response = (await sock.recv(1024)).toString();
  console.log("received:", response);
}

// Port 0 means to select an arbitrary unused port
await using server = new ThreadedTCPServer(["127.0.0.1", 0], ThreadedTCPRequestHandler);
const [ip, port] = server.server_address as [string, number];

// The server runs while the main program goes on: it is not awaited here
const serving = server.serve_forever();

await using silent = await create_connection([ip, port]);
await client(ip, port, "Hello World 1");
await client(ip, port, "Hello World 2");
await client(ip, port, "Hello World 3");
silent.close();

await server.shutdown();
await serving;
