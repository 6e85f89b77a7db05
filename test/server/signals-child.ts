// A server that SIGTERM and SIGINT shut down. Run by signals.test.ts.

import { serve, shutdownOnSignals } from "berkeley/server";
import { listenTcp } from "berkeley/stream";
import { echo } from "./support.ts";

const listener = await listenTcp("127.0.0.1");
const server = serve(listener, echo, { drainTimeoutMs: Infinity });
if (process.argv[2] === "disposed") shutdownOnSignals(server)[Symbol.dispose]();
else shutdownOnSignals(server);
server.finished.then(
  () => console.log("finished", JSON.stringify(server.stats())),
  (error: unknown) => console.log("failed", error),
);
console.log(`port ${(listener.localAddress as [string, number])[1]}`);
