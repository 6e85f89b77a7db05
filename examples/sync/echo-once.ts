// A one-shot echo server: one connection, one message, and the same bytes back.
// node echo-once.js [HOST [PORT]]
import * as socket from "berkeley/sync";

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 8888);

const server = socket.socket(socket.AF_INET, socket.SOCK_STREAM);
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1);
server.bind([host, port]);
server.listen(1);
console.log("listening on", ...server.getsockname());

const [conn, address] = server.accept();
console.log("connected:", address[0]);
const data = conn.recv(1024);
console.log("received:", data.toString());
conn.sendall(data);
conn.close();
server.close();
