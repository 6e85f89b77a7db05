// The same bytes to Node's own server and to nginx. Where they accept what we refuse we are the stricter, and the table
// says why; where they refuse what we accept, too. Nothing else may differ.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect, createServer as createRawServer } from "node:net";
import type { AddressInfo, NetConnectOpts, Server } from "node:net";
import { once } from "node:events";
import { test } from "node:test";
import { NGINX, nginxFolder, startNginx } from "../support/nginx.ts";
import { MALFORMED } from "./malformed.ts";
import { latin1 } from "./parsing.ts";
import { WELL_FORMED } from "./wellformed.ts";

/** Why we refuse what peers accept, by code. Each is a MUST NOT of a sender, or a place where two readers differ. */
const STRICTER: Readonly<Record<string, Partial<Record<"node" | "nginx", string>>>> = {
  ERR_HTTP_BARE_CR: {
    node: "skips CR before the request line as it skips empty lines",
    nginx: "the same, and takes CR CR LF for an end of line",
  },
  ERR_HTTP_BARE_LF: {
    node: "skips LF before the request line as it skips empty lines",
    nginx: "takes LF for an end of line everywhere, as RFC 9112 section 2.2 allows; the next hop may not",
  },
  ERR_HTTP_CHUNK_END: { nginx: "takes LF for the end of a chunk, and does not see what is short" },
  ERR_HTTP_CHUNK_EXTENSION: {
    node: "lets names and values of extensions be empty",
    nginx: "reads nothing between the size and the end of the line; whoever reads it stops elsewhere",
  },
  ERR_HTTP_CHUNK_SIZE_TOO_LARGE: {
    node: "lets any number of zeros lead; ours end with the digits that can be counted",
    nginx: "as node",
  },
  ERR_HTTP_CONNECTION: {
    node: "looks for words anywhere in the value",
    nginx: "looks for two words, and takes the rest for nothing",
  },
  ERR_HTTP_CONTENT_LENGTH: { node: "lets zeros lead beyond 15 digits", nginx: "as node" },
  ERR_HTTP_EMPTY_LINE: { node: "skips any number of empty lines", nginx: "as node" },
  ERR_HTTP_EXPECTATION: {
    node: "looks for 100-continue anywhere in the value",
    nginx: "passes over what it does not know",
  },
  ERR_HTTP_FIELD_NAME: { nginx: "leaves lines out whose names are wrong; the next hop may read them" },
  ERR_HTTP_FIELD_VALUE: { nginx: "refuses NUL alone, and passes other controls on" },
  ERR_HTTP_HEADER_TOO_LARGE: { node: "does not count blanks before a value", nginx: "its limit is 32 KiB" },
  ERR_HTTP_HOST: {
    node: "does not look at it",
    nginx: "passes nearly anything on; RFC 9112 section 3.2 asks for 400",
  },
  ERR_HTTP_HOST_MISMATCH: {
    node: "leaves it to the program, which may look at either",
    nginx: "the target wins, as RFC 9112 section 3.2.2 has it; not every hop does that",
  },
  ERR_HTTP_HOST_MISSING: { node: "does not look at CONNECT" },
  ERR_HTTP_HOST_REPEATED: { node: "the first wins; RFC 9112 section 3.2 asks for 400" },
  ERR_HTTP_NO_COLON: { nginx: "leaves such lines out" },
  ERR_HTTP_OBS_FOLD: { nginx: "does not look at trailers, which it drops" },
  ERR_HTTP_SPACE_BEFORE_COLON: { nginx: "does not look at trailers, which it drops" },
  ERR_HTTP_START_LINE_TOO_LONG: { node: "its limit is 16 KiB for the whole head" },
  ERR_HTTP_TARGET: {
    node: "lets the program look at the target",
    nginx: "lets fragments, quotes, other schemes and bytes beyond ASCII through",
  },
  ERR_HTTP_TOO_MANY_FIELDS: { node: "its limit is 2000", nginx: "its limit is of bytes" },
  ERR_HTTP_TRAILERS_TOO_LARGE: { node: "its limit is that of the head", nginx: "drops them as they come" },
  ERR_HTTP_TRAILER_FIELD: {
    node: "keeps trailers apart and lets the program look",
    nginx: "does not look at trailers, which it drops",
  },
  ERR_HTTP_TRANSFER_CODING_UNKNOWN: {
    node: "takes any codings before chunked, and gives the program what is still encoded",
  },
  ERR_HTTP_TRANSFER_ENCODING: { node: "passes over empty elements of the list" },
  ERR_HTTP_TRANSFER_ENCODING_IN_1_0: {
    node: "decodes it; RFC 9112 section 6.1 takes such a message for faulty",
  },
  ERR_HTTP_UNEXPECTED_CONTENT: { node: "hands the content over as the first bytes of the tunnel" },
  ERR_HTTP_VERSION: {
    node: "lets a second blank stand before it, and takes 0.9, 2.0 and RTSP/1.0",
    nginx: "lets blanks stand around it, and takes every 1.x for 1.1",
  },
};

/** Why we accept what a peer refuses, by the name of the message. */
const OPENER: Readonly<Record<string, Partial<Record<"node" | "nginx", string>>>> = {
  "a method that nobody knows, and a target with what browsers leave unescaped": {
    node: "knows a fixed list of methods; RFC 9110 section 16.1 lets there be others, and framing does not depend on them",
    nginx: "knows methods in capitals only",
  },
  "blanks around values, empty values, names in any case, a name that comes twice": {
    nginx: "takes a tab before Host's value for part of it; RFC 9112 section 5 lets it stand there",
  },
  "chunks with extensions and trailers": {
    node: "refuses blanks before a semicolon, which RFC 9112 section 7.1.1 lets stand",
  },
  "Connection: close, and nothing behind it": {
    node: "refuses what follows a last request; we never look at it",
  },
  "Expect: 100-continue": { node: "the message is not complete", nginx: "the message is not complete" },
  "OPTIONS of the server": { nginx: "does not serve *" },
};

/** Sends bytes, ends, and gives all that comes back. */
function ask(to: NetConnectOpts, bytes: Buffer): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...to, allowHalfOpen: true });
    let answer = "";
    socket.on("data", (data) => (answer += data.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
    socket.on("end", () => socket.end());
    socket.end(bytes);
  });
}

/** Whether the first answer is one of success. */
const accepts = async (to: NetConnectOpts, text: string): Promise<boolean> =>
  /^(?:HTTP\/1\.1 1\d\d [^]*?\r\n\r\n)*HTTP\/1\.[01] [23]/.test(await ask(to, latin1(text)));

const AT_ONCE = 16;

/** Asks for all of them, a few at a time. */
async function acceptedOf<T extends { readonly text: string }>(
  to: NetConnectOpts,
  messages: readonly T[],
): Promise<Map<T, boolean>> {
  const found = new Map<T, boolean>();
  const left = [...messages];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let one = left.pop(); one !== undefined; one = left.pop())
        found.set(one, await accepts(to, one.text));
    }),
  );
  return found;
}

const malformed = MALFORMED.filter(({ answers, limits }) => answers === undefined && limits === undefined);
const wellFormed = WELL_FORMED.filter(({ answers, text }) => answers === undefined && text !== "");

async function compare(peer: "node" | "nginx", to: NetConnectOpts): Promise<void> {
  const unexplained: string[] = [];
  for (const [{ family, name, code }, accepted] of await acceptedOf(to, malformed))
    if (accepted && STRICTER[code]?.[peer] === undefined)
      unexplained.push(`${peer} accepts what is ${code}: ${family}, ${name}`);
  for (const [{ name }, accepted] of await acceptedOf(to, wellFormed))
    if (!accepted && OPENER[name]?.[peer] === undefined) unexplained.push(`${peer} refuses ${name}`);
  assert.deepEqual(unexplained.toSorted(), []);
}

async function closed(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

test("node:http differs from us only where the table says why", async () => {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.end());
  });
  server.on("connect", (_, socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await compare("node", { port, host: "127.0.0.1" });
  await closed(server);
});

test("nginx differs from us only where the table says why", { skip: NGINX.skip }, async () => {
  const made = nginxFolder();
  const back = createRawServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
    );
  });
  back.listen(made.back);
  await once(back, "listening");
  {
    await using nginx = await startNginx(
      "location / { proxy_pass http://unix:BACK; proxy_ignore_client_abort on; }",
      made,
    );
    await compare("nginx", { path: nginx.front });
  }
  await closed(back);
});
