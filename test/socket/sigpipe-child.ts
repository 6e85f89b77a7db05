// Sends to a peer that has gone, in a process that dies of SIGPIPE; for sigpipe.test.ts.

import { fileURLToPath } from "node:url";
import * as b from "berkeley";
import * as blocking from "berkeley/sync";

// Whoever stops listening to a signal gets its default action, not the one that Node began with.
const listener = (): void => console.log("SIGPIPE");
process.on("SIGPIPE", listener);
process.off("SIGPIPE", listener);

async function tell(name: string, attempt: (sock: b.Socket) => unknown): Promise<void> {
  const [sock, peer] = b.socketpair(b.AF_UNIX, b.SOCK_STREAM);
  peer.close();
  try {
    await attempt(sock);
    console.log(name, "sent");
  } catch (error) {
    console.log(name, (error as b.SocketError).code);
  }
  sock.close();
}

await tell("send", (sock) => sock.send("x"));
await tell("sendall", (sock) => sock.sendall("x"));
await tell("sendto", (sock) => sock.sendto("x", "/nowhere").catch(() => sock.send("x")));
await tell("sendmsg", (sock) => sock.sendmsg(["x"]));
await tell("relay", async (sock) => {
  const [from, there] = b.socketpair(b.AF_UNIX, b.SOCK_SEQPACKET);
  await there.send("x");
  there.close();
  await b.relay(from, sock);
});
await tell("relay of streams", async (sock) => {
  const [from, there] = b.socketpair();
  await there.send("x");
  there.close();
  await b.relay(from, sock);
});
await tell("sendfile", (sock) => sock.sendfile(fileURLToPath(import.meta.url)));
await tell("sync sendfile", () => {
  const [sock, peer] = blocking.socketpair();
  peer.close();
  sock.sendfile(fileURLToPath(import.meta.url));
});
await tell("sync send", () => {
  const [sock, peer] = blocking.socketpair(b.AF_UNIX, b.SOCK_STREAM);
  peer.close();
  sock.send("x");
});
