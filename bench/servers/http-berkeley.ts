// Berkeley's server of HTTP: with a handler ("http"), with Request and Response ("http-fetch"), and with a light Response in
// place of the global one ("http-fetch-light"); the last two with a Hono application too.
import { HttpFields, serve } from "berkeley/http";
import type { FetchHandler, HttpHandler } from "berkeley/http";
import { announce, chosenJob, HELLO, LARGE } from "./control.ts";
import { honoApp } from "./hono.ts";

const TEXT = HttpFields.from({ "Content-Type": "text/plain" });
const BYTES = HttpFields.from({ "Content-Type": "application/octet-stream" });

async function upload(pieces: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const piece of pieces) length += piece.length;
  return length;
}

const handle: HttpHandler = (request, reply) => {
  if (request.path === "/large") return reply.send(200, BYTES, LARGE);
  if (request.path === "/upload")
    return upload(request).then((length) => reply.send(200, TEXT, String(length)));
  return reply.send(200, TEXT, HELLO);
};

const fetch: FetchHandler = async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/large") return new Response(LARGE);
  if (pathname === "/upload")
    return new Response(String(await upload(request.body ?? ReadableStream.from([]))));
  return new Response(HELLO, { headers: { "Content-Type": "text/plain" } });
};

const job = chosenJob(["http", "http-fetch", "http-fetch-light", "http-hono", "http-hono-light"]);
const answer = job.startsWith("http-hono") ? (await honoApp()).fetch : fetch;
const server = await serve({
  ...(job === "http" ? { handle } : { fetch: answer }),
  lightGlobals: job.endsWith("-light"),
  requestsMax: Infinity,
});
announce((server.localAddress as [string, number])[1]);
