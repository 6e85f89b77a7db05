// Answers each datagram in capitals, until one says "bye".
// node datagram-server.js [HOST [PORT]]
import * as socket from "berkeley/sync";

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 9999);

const server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);
server.bind([host, port]);
console.log("listening on", ...server.getsockname());

while (true) {
  const [data, address] = server.recvfrom(1024);
  console.log("received:", data.toString(), "from", address[0]);
  server.sendto(data.toString().toUpperCase(), address);
  if (data.toString() === "bye") break;
}
server.close();
