// Sends each message as a datagram, and prints the answers. Gives up after a second.
// node datagram-client.js [HOST [PORT [MESSAGE...]]]
import * as socket from "berkeley/sync";

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 9999);
const messages = process.argv.length > 4 ? process.argv.slice(4) : ["hello", "bye"];

const client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);
client.settimeout(1);
for (const message of messages) {
  client.sendto(message, [host, port]);
  try {
    const [data, address] = client.recvfrom(1024);
    console.log("received:", data.toString(), "from", address[0]);
  } catch (error) {
    if (!(error instanceof socket.timeout)) throw error;
    console.log("no answer");
  }
}
client.close();
