// node:net on several processes, as node:cluster has it by default: the first one accepts and hands the connections out in
// turn. Each exchanges a byte, works, and closes.
import cluster from "node:cluster";
import { createServer } from "node:net";
import { announce, BACKLOG, chosenJob, ignoreDeparture, WORKERS, work } from "./control.ts";

chosenJob(["exchange-work-all"]);
if (cluster.isPrimary) {
  let listening = 0;
  cluster.on("listening", (_, { port }) => {
    if (++listening === WORKERS) announce(port);
  });
  for (let number = 0; number < WORKERS; number++) cluster.fork();
} else {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", ignoreDeparture);
    socket.once("data", (data) => {
      work();
      socket.write(data);
      socket.destroySoon();
    });
  });
  server.listen({ host: "127.0.0.1", port: 0, backlog: BACKLOG });
}
