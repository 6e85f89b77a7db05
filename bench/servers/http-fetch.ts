// What the servers of Bun and Deno have in common: a function from Request to Response.
import { HELLO, LARGE } from "./control.ts";

/** Answers the requests of the bench. */
export async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (pathname === "/large") return new Response(LARGE);
  if (pathname === "/upload") {
    let length = 0;
    for await (const piece of request.body ?? ReadableStream.from([])) length += (piece as Uint8Array).length;
    return new Response(String(length));
  }
  return new Response(HELLO, { headers: { "Content-Type": "text/plain" } });
}
