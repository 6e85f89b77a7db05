// One connection that stays open: every message is answered, until the client ends or says "bye".
// node answering-server.js [HOST [PORT]]
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket } from "berkeley";

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 8888);

const server = socket(AF_INET, SOCK_STREAM);
server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
server.bind([host, port]);
server.listen(1);
console.log("listening on", ...server.getsockname());

const [conn, address] = await server.accept();
console.log("connected:", address[0]);
let number = 0;
while (true) {
  const data = await conn.recv(1024);
  if (data.length === 0 || data.toString() === "bye") break;
  number += 1;
  console.log("received:", data.toString());
  await conn.sendall(`answer ${number}: ${data.toString().toUpperCase()}`);
}
conn.close();
server.close();
