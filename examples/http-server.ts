// A server of HTTP with the web's Request and Response: a page, an echo that streams both ways, events, files. Until Ctrl-C:
// then it finishes what it answers. node http-server.js [HOST [PORT [FOLDER]]]
import { setTimeout as sleep } from "node:timers/promises";
import { serve, staticFiles } from "berkeley/http";
import { shutdownOnSignals } from "berkeley/server";

const files = staticFiles(process.argv[4] ?? ".", { prefix: "/files" });

/** An event each tenth of a second. */
async function* events(): AsyncGenerator<Uint8Array> {
  for (let count = 1; count <= 3; count++) {
    yield Buffer.from(`data: ${count}\n\n`);
    await sleep(100);
  }
}

const server = await serve({
  host: process.argv[2] ?? "127.0.0.1",
  port: Number(process.argv[3] ?? 8080),
  compress: true,
  async fetch(request, { raw, reply }) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/files/")) {
      await files(raw, reply);
      return undefined;
    }
    if (pathname === "/echo") return new Response(request.body);
    if (pathname === "/events")
      return new Response(ReadableStream.from(events()), {
        headers: { "content-type": "text/event-stream" },
      });
    return new Response(`hello, ${request.headers.get("user-agent") ?? "stranger"}\n`);
  },
});
shutdownOnSignals(server);
console.log("listening on", ...(server.localAddress as [string, number]));
await server.finished;
