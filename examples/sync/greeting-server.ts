// Greets every client and hangs up.
// node greeting-server.js [HOST [PORT]]
import * as socket from "berkeley/sync";

const host = process.argv[2] ?? socket.gethostname();
const port = Number(process.argv[3] ?? 8088);

const server = socket.socket();
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);
server.bind([host, port]);
server.listen(5);
console.log("listening on", ...server.getsockname());

for (const [conn, address] of server) {
  console.log("connected:", address[0]);
  conn.sendall(`welcome to ${socket.gethostname()}, ${address[0]}\r\n`);
  conn.close();
}
