// Connects to the greeting server and prints the greeting.
// node greeting-client.js [HOST [PORT]]
import { gethostname, socket } from "berkeley";

const host = process.argv[2] ?? gethostname();
const port = Number(process.argv[3] ?? 8088);

const client = socket();
await client.connect([host, port]);
let greeting = Buffer.alloc(0);
while (!greeting.toString().endsWith("\r\n")) {
  const data = await client.recv(1024);
  if (data.length === 0) break;
  greeting = Buffer.concat([greeting, data]);
}
console.log(greeting.toString().trim());
client.close();
