// The node:http peer.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { announce, BACKLOG, chosenJob, HELLO, LARGE } from "./control.ts";

chosenJob(["http"]);
const server = createServer({ noDelay: true }, (request, response) => {
  if (request.url === "/large") {
    response.setHeader("Content-Type", "application/octet-stream");
    response.end(LARGE);
  } else if (request.url === "/upload") {
    let length = 0;
    request.on("data", (piece: Buffer) => (length += piece.length));
    request.on("end", () => response.end(String(length)));
  } else {
    response.setHeader("Content-Type", "text/plain");
    response.end(HELLO);
  }
});
server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG }, () => {
  announce((server.address() as AddressInfo).port);
});
