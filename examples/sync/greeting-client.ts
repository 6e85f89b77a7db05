// Connects to the greeting server and prints the greeting.
// node greeting-client.js [HOST [PORT]]
import * as socket from "berkeley/sync";

const host = process.argv[2] ?? socket.gethostname();
const port = Number(process.argv[3] ?? 8088);

const client = socket.socket();
client.connect([host, port]);
let greeting = Buffer.alloc(0);
while (!greeting.toString().endsWith("\r\n")) {
  const data = client.recv(1024);
  if (data.length === 0) break;
  greeting = Buffer.concat([greeting, data]);
}
console.log(greeting.toString().trim());
client.close();
