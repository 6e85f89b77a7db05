// The peer on node:net: the package ws, as its documentation suggests.
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { announce, BACKLOG, chosenJob, ignoreDeparture } from "./control.ts";

const job = chosenJob(["ws-echo", "ws-idle", "ws-broadcast"]);
const server = new WebSocketServer({ host: "127.0.0.1", port: 0, backlog: BACKLOG });
server.on("connection", (socket) => {
  socket.on("error", ignoreDeparture);
  socket.on("message", (data, isBinary) => {
    if (job !== "ws-broadcast") socket.send(data, { binary: isBinary });
    else for (const client of server.clients) client.send(data, { binary: isBinary });
  });
});
server.on("listening", () => announce((server.address() as AddressInfo).port));
