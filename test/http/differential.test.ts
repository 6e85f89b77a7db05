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

/** Why we refuse what a peer accepts, by code. */
const STRICTER: Readonly<Record<string, string>> = {};

/** Why we accept what a peer refuses, by the name of the message. */
const OPENER: Readonly<Record<string, string>> = {};

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

async function compare(peer: string, to: NetConnectOpts): Promise<void> {
  const unexplained: string[] = [];
  for (const [{ family, name, code }, accepted] of await acceptedOf(to, malformed))
    if (accepted && STRICTER[`${peer} ${code}`] === undefined)
      unexplained.push(`${peer} accepts what is ${code}: ${family}, ${name}`);
  for (const [{ name }, accepted] of await acceptedOf(to, wellFormed))
    if (!accepted && OPENER[`${peer} ${name}`] === undefined)
      unexplained.push(`${peer} refuses ${name}`);
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
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
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
