// Berkeley's servers of connections: serve() on one thread, serveWorkers() on four (one descriptor for all), and four workers
// with a socket each (SO_REUSEPORT), which the library does not offer. Each exchanges a byte and closes; in the work jobs,
// of one worker and of one a core, it works in between.
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type Handler, serve, serveWorkers } from "berkeley/server";
import { listenTcp } from "berkeley/stream";
import { announce, BACKLOG, chosenJob, WORKERS as CORES, work } from "./control.ts";

const WORKERS = 4;
const CONNECTIONS_MAX = 10_000;

const JOBS = [
  "exchange-serve",
  "exchange-shared",
  "exchange-reuseport",
  "exchange-work-one",
  "exchange-work-all",
] as const;
const job = chosenJob(JOBS);
const works = job.startsWith("exchange-work");

const exchange: Handler = async (stream) => {
  const bytes = await stream.receiveSome(1);
  if (works) work();
  await stream.sendAll(bytes);
};
export default exchange;

async function listenAlone(port: number): Promise<number> {
  const listener = await listenTcp("127.0.0.1", port, { backlog: BACKLOG, reusePort: true });
  serve(listener, exchange, { connectionsMax: CONNECTIONS_MAX });
  return (listener.localAddress as [string, number])[1];
}

/** Each worker listens for itself, at the port that the first was given. */
async function eachAlone(): Promise<number> {
  let port = 0;
  for (let number = 0; number < WORKERS; number++) {
    const worker = new Worker(new URL(import.meta.url), {
      workerData: { port },
      argv: process.argv.slice(2),
    });
    port = await new Promise<number>((resolve) => worker.once("message", resolve));
  }
  return port;
}

if (!isMainThread) {
  const alone = (workerData as { port?: number }).port;
  if (alone !== undefined) parentPort?.postMessage(await listenAlone(alone), []);
} else {
  if (job === "exchange-reuseport") announce(await eachAlone());
  else {
    const listener = await listenTcp("127.0.0.1", 0, { backlog: BACKLOG });
    const workers = works ? (job === "exchange-work-one" ? 1 : CORES) : WORKERS;
    const options = { connectionsMax: CONNECTIONS_MAX, workers, argv: [job] };
    if (job === "exchange-serve") serve(listener, exchange, options);
    else await serveWorkers(listener, import.meta.url, options);
    announce((listener.localAddress as [string, number])[1]);
  }
}
