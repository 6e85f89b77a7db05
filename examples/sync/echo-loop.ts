// An echo server that serves one client after another, each until it has ended.
// node echo-loop.js [HOST [PORT]]
import * as socket from "berkeley/sync";

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 8888);

const server = socket.socket(socket.AF_INET, socket.SOCK_STREAM);
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);
server.bind([host, port]);
server.listen(5);
console.log("listening on", ...server.getsockname());

while (true) {
  const [conn, address] = server.accept();
  console.log("connected:", address[0]);
  while (true) {
    const data = conn.recv(1024);
    if (data.length === 0) break;
    conn.sendall(data);
  }
  conn.close();
  console.log("ended:", address[0]);
}
