// Sends a datagram and prints the answer.
// node socketserver-udp-client.js HOST PORT WORD…
import { AF_INET, SOCK_DGRAM, socket } from "berkeley";

const [host = "127.0.0.1", port = "9999", ...words] = process.argv.slice(2);
const data = words.join(" ");

await using sock = socket(AF_INET, SOCK_DGRAM);
await sock.sendto(`${data}\n`, [host, Number(port)]);
const received = (await sock.recv(1024)).toString();

console.log("sent:", data);
console.log("received:", received);
