// The node:tls peer: as node-net.ts, under TLS.
import type { AddressInfo } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { announce, BACKLOG, CHUNK_BYTES, chosenJob, ignoreDeparture, tlsIdentity } from "./control.ts";

function echo(socket: TLSSocket): void {
  socket.on("data", (data) => {
    if (!socket.write(data)) {
      socket.pause();
      socket.once("drain", () => socket.resume());
    }
  });
}

function receive(socket: TLSSocket): void {
  socket.on("data", () => {});
}

function send(socket: TLSSocket): void {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const fill = (): void => {
    while (socket.write(chunk));
  };
  socket.on("drain", fill);
  fill();
}

const jobs = { "tls-echo": echo, "tls-receive": receive, "tls-receive-loaded": receive, "tls-send": send };
const job = chosenJob(Object.keys(jobs) as (keyof typeof jobs)[]);
const serve = jobs[job];
// A heap as large as the other contestant's.
if (job === "tls-receive-loaded") await import("berkeley/tls");

const { certificate: cert, key } = tlsIdentity();
const server = createServer({ cert, key, noDelay: true, minVersion: "TLSv1.2" }, (socket) => {
  socket.on("error", ignoreDeparture);
  serve(socket);
});
server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG }, () => {
  announce((server.address() as AddressInfo).port);
});
