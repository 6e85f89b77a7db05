// Greets every client and hangs up.
// node greeting-server.js [HOST [PORT]]
import { gethostname, SO_REUSEADDR, SOL_SOCKET, socket } from "berkeley";

const host = process.argv[2] ?? gethostname();
const port = Number(process.argv[3] ?? 8088);

const server = socket();
server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
server.bind([host, port]);
server.listen(5);
console.log("listening on", ...server.getsockname());

while (true) {
  const [conn, address] = await server.accept();
  console.log("connected:", address[0]);
  await conn.sendall(`welcome to ${gethostname()}, ${address[0]}\r\n`);
  conn.close();
}
