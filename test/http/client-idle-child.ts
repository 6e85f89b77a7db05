// Asks a server in another thread, and is then over although the connection is kept for ever.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { HttpClient } from "berkeley/http";

const worker = new Worker(
  `import("berkeley/http").then(async ({ serve }) => {
     const server = await serve({ handle: (_, reply) => reply.send(200, {}, "hello") });
     require("node:worker_threads").parentPort.postMessage(server.localAddress[1]);
   });`,
  { eval: true },
);
const [port] = (await once(worker, "message")) as [number];
worker.unref();
const client = new HttpClient({ keepAliveTimeoutMs: Infinity });
const response = await client.request(`http://127.0.0.1:${port}/`);
console.log(await response.text());
