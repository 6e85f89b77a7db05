// A server that is restarted without a refused connection: start it again with the same path, and the new process takes the
// listener over from the old one, which finishes what it does and ends.
// node restart.js PATH [HOST [PORT]]
import { handOver, serve, shutdownOnSignals, takeOver } from "berkeley/server";
import { listenTcp } from "berkeley/stream";

const [, , path = "/tmp/restart-example", host = "127.0.0.1", port = "8888"] = process.argv;

const before = await takeOver(path);
const listener = before?.listeners["echo"] ?? (await listenTcp(host, Number(port)));
const server = serve(listener, async (stream, { stopping }) => {
  for (;;) {
    const data = await stream.receiveSome(1000, { signal: stopping });
    if (data.length === 0) return;
    await stream.sendAll(`process ${process.pid}: ${data.toString()}`);
  }
});
shutdownOnSignals(server);
await before?.ready(); // from here on the old process accepts no more
console.log("listening on", ...(server.localAddress as [string, number]));

const offer = handOver(path, { echo: listener });
void server.finished.then(() => offer.close());
if (await offer.taken) {
  console.log("another process has taken over");
  await server.shutdown();
}
