// A server on every core: each worker thread accepts from the same queue, and is started again if it dies.
// node serve-workers.js [HOST [PORT [WORKERS]]]
import { isMainThread, threadId } from "node:worker_threads";
import { serveWorkers, shutdownOnSignals } from "berkeley/server";
import type { Handler } from "berkeley/server";
import { listenTcp } from "berkeley/stream";

// The handler is what workers take from this module: its default export.
const handler: Handler = async (stream) => {
  for (;;) {
    const data = await stream.receiveSome();
    if (data.length === 0) return;
    if (data.toString().startsWith("die")) process.exit(1); // a worker's own end, and its connections'
    await stream.sendAll(`thread ${threadId}: ${data.toString()}`);
  }
};
export default handler;

if (isMainThread) {
  const [, , host = "127.0.0.1", port = "8888", workers] = process.argv;
  const listener = await listenTcp(host, Number(port));
  const server = await serveWorkers(listener, import.meta.url, {
    workers: workers === undefined ? undefined : Number(workers),
    connectionsMax: 1000,
    onDeath: (error, worker) => console.log(`worker ${worker} died: ${error.message}`),
  });
  shutdownOnSignals(server);
  console.log("listening on", ...(server.localAddress as [string, number]));

  await server.finished;
  const { accepted, restarts } = server.stats();
  console.log(`served ${accepted} connections, workers were started again ${restarts} times`);
}
