// One version of a server that is restarted. Run by hand-over.test.ts.
//
//   hand-over-child PATH [unix SOCKET]

import { handOver, serve, takeOver } from "berkeley/server";
import { listenTcp, listenUnix } from "berkeley/stream";

const [path = "", kind, file = ""] = process.argv.slice(2);
const before = await takeOver(path);
const listener =
  before?.listeners["it"] ?? (kind === "unix" ? await listenUnix(file) : await listenTcp("127.0.0.1"));
const server = serve(
  listener,
  async (stream, { stopping }) => {
    const word = (await stream.receiveSome()).toString();
    if (word === "stopping") {
      await stream.sendAll("waiting");
      await new Promise((resolve) => stopping.addEventListener("abort", resolve));
    }
    await stream.sendAll(`${process.pid}`);
  },
  { connectionsMax: 100 },
);
await before?.ready();
const offer = handOver(path, { it: listener });
console.log(`serving ${JSON.stringify(server.localAddress)}`);
if (await offer.taken) {
  await server.shutdown();
  console.log(`handed over after ${server.stats().accepted}, failed ${server.stats().failed}`);
}
