// Asks for a content that never ends, forgets the answer, and waits until the connection is gone.

import { setImmediate as turn } from "node:timers/promises";
import { HttpClient, serve } from "berkeley/http";

const server = await serve({
  async handle(_, reply) {
    reply.begin(200, {});
    await reply.write("abc");
    await new Promise(() => {});
  },
});
const [, port] = server.localAddress as [string, number];
const client = new HttpClient();

async function forget(): Promise<void> {
  const response = await client.request(`http://127.0.0.1:${port}/`);
  await response.read();
}

await forget();
while (client.stats().connections > 0) {
  globalThis.gc?.();
  await turn();
}
console.log("closed");
process.exit();
