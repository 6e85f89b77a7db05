// Sends every datagram back to where it came from, many at a time, and from the address that it went to.
// node udp-echo.js [HOST [PORT]]
import { AF_INET, AF_INET6, ReceiveBatch, SOCK_DGRAM, SendBatch, socket } from "berkeley";

const [host = "127.0.0.1", port = "0"] = process.argv.slice(2);
const family = host.includes(":") ? AF_INET6 : AF_INET;
const sock = socket(family, SOCK_DGRAM);
if (family === AF_INET6) sock.options.IPV6_RECVPKTINFO = true;
else sock.options.IP_PKTINFO = true;
sock.bind([host, Number(port)]);
console.log("listening on", ...sock.getsockname().slice(0, 2));

const incoming = new ReceiveBatch({ gro: true });
const outgoing = new SendBatch({ family });
let answered = 0;

process.on("SIGTERM", () => sock.close());
try {
  for (;;) {
    const count = await sock.recvmmsg(incoming);
    for (let i = 0; i < count; i++) {
      const data = incoming.data(i); // a view: good until the next recvmmsg
      if (!outgoing.hasRoom(data.length)) await send();
      outgoing.add(data, incoming.address(i), { source: { addr: incoming.destination(i)?.addr } });
    }
    await send();
  }
} catch (error) {
  if (!sock.closed) throw error;
}
const { call, gro } = incoming.runsWith;
console.log(`answered ${answered} with ${call}${gro ? " and GRO" : ""}, ${outgoing.runsWith.call}`);

async function send(): Promise<void> {
  while (outgoing.count > 0)
    try {
      answered += await sock.sendmmsg(outgoing);
    } catch (error) {
      if (sock.closed) throw error;
      console.error(String(error)); // one peer's datagram: those behind it are sent all the same
      outgoing.drop();
    }
}
