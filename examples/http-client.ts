// A client of HTTP: many requests over few connections, a content that is made while it is sent, one that is read as it
// comes, and the end of patience. It asks a server of its own. node http-client.js
import { setTimeout as sleep } from "node:timers/promises";
import { HttpClient, RequestTimeoutError, serve } from "berkeley/http";

await using server = await serve({
  async handle(request, reply) {
    if (request.path === "/never") await sleep(60_000, undefined, { signal: request.signal });
    reply.begin(200, { "Content-Type": "text/plain" });
    for await (const piece of request) await reply.write(piece.toString().toUpperCase());
    reply.end();
  },
});
const [host, port] = server.localAddress as [string, number];
const url = `http://${host}:${port}`;

await using client = new HttpClient({ connectionsMax: 4 });
const answers = await Promise.all(
  ["one", "two", "three", "four", "five", "six"].map(async (body) => {
    const response = await client.request(url, { method: "POST", body });
    return await response.text();
  }),
);
console.log(answers.join(" "), "over", client.stats().connections, "connections");

/** Words, one each tenth of a second. */
async function* words(): AsyncGenerator<string> {
  for (const word of ["as", "it", "comes"]) {
    yield `${word} `;
    await sleep(100);
  }
}
const response = await client.request(url, { method: "POST", body: words() });
for await (const piece of response) console.log("received", piece.toString());

try {
  await client.request(`${url}/never`, { headTimeoutMs: 200 });
} catch (error) {
  if (!(error instanceof RequestTimeoutError)) throw error;
  console.log(error.message);
}
