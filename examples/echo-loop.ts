// An echo server that serves one client after another, each until it has ended.
// node echo-loop.js [HOST [PORT]]
import { AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket } from "berkeley";

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 8888);

const server = socket(AF_INET, SOCK_STREAM);
server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
server.bind([host, port]);
server.listen(5);
console.log("listening on", ...server.getsockname());

while (true) {
  const [conn, address] = await server.accept();
  console.log("connected:", address[0]);
  while (true) {
    const data = await conn.recv(1024);
    if (data.length === 0) break;
    await conn.sendall(data);
  }
  conn.close();
  console.log("ended:", address[0]);
}
