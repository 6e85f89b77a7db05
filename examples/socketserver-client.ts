// Sends a line and prints the answer.
// node socketserver-client.js HOST PORT WORD…
import { AF_INET, SOCK_STREAM, socket } from "berkeley";

const [host = "127.0.0.1", port = "9999", ...words] = process.argv.slice(2);
const data = words.join(" ");

await using sock = socket(AF_INET, SOCK_STREAM);
await sock.connect([host, Number(port)]);
await sock.sendall(`${data}\n`);
const received = (await sock.recv(1024)).toString().trimEnd();

console.log("sent:", data);
console.log("received:", received);
