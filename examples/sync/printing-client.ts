// Sends each message over one connection and prints what it received.
// node printing-client.js [HOST [PORT [MESSAGE...]]]
import * as socket from "berkeley/sync";

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 8888);
const messages = process.argv.length > 4 ? process.argv.slice(4) : ["Hello, world"];

const client = socket.socket(socket.AF_INET, socket.SOCK_STREAM);
client.connect([host, port]);
for (const message of messages) {
  client.sendall(message);
  const data = client.recv(1024);
  console.log("received:", data.toString());
}
client.close();
