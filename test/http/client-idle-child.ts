// Asks a server in another thread, and is then over although the connection is kept for ever. With a certificate and its
// key, over TLS.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { HttpClient } from "berkeley/http";

const files = process.argv.slice(2);
const worker = new Worker(
  `const { parentPort, workerData: files } = require("node:worker_threads");
   const { readFileSync } = require("node:fs");
   (async () => {
     const { serve } = await import("berkeley/http");
     const { listenTls } = await import("berkeley/tls");
     const [certificate, key] = files.map((path) => readFileSync(path));
     const listener = key === undefined ? undefined : await listenTls("127.0.0.1", 0, { certificate, key });
     const server = await serve({ listener, handle: (_, reply) => reply.send(200, {}, "hello") });
     parentPort.postMessage(server.localAddress[1]);
   })();`,
  { eval: true, workerData: files },
);
const [port] = (await once(worker, "message")) as [number];
worker.unref();
const client = new HttpClient({ keepAliveTimeoutMs: Infinity, tls: { verifyPeer: false } });
const scheme = files.length === 0 ? "http" : "https";
const response = await client.request(`${scheme}://127.0.0.1:${port}/`);
console.log(await response.text());
