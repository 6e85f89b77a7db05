// Ten thousand connections at once, one side of them: "serve" or "visit PORT". Run by crowd.test.ts, each with room for as
// many descriptors.

import assert from "node:assert/strict";
import { create_connection, create_server, socket } from "berkeley";
import type { Socket } from "berkeley";
import { receiveExactly } from "../support/berkeley-tcp.ts";
import { openDescriptors } from "../support/descriptors.ts";
import { pattern } from "../support/pair.ts";

const [scenario, count, port] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
/** Attempts at once: fewer than the listener's queue holds. */
const CONNECTING = 100;

const LAST = "!";

/** What connection number `at` says, without the last word; no other says it. */
function wordsOf(at: number): Buffer {
  const more = pattern(1 + (at % 3000), at).toString("base64");
  return Buffer.from(`${at}:${more}`);
}

/** Echoes until the visitor says that he has heard it all; ends first, so that its own port has the TIME-WAITs. */
async function echo(conn: Socket): Promise<void> {
  using _ = conn;
  for (;;) {
    const data = await conn.recv(65_536);
    if (data.length === 0 || data.includes(LAST)) return;
    await conn.sendall(data);
  }
}

async function serve(): Promise<void> {
  const before = openDescriptors();
  const server = create_server(["127.0.0.1", 0]);
  console.log(`port ${server.getsockname()[1]}`);
  const handlers: Promise<void>[] = [];
  let [open, most] = [0, 0];
  for await (const [conn] of server) {
    most = Math.max(most, ++open);
    handlers.push(echo(conn).finally(() => open--));
    if (handlers.length === count) server.close();
  }
  await Promise.all(handlers);
  console.log(`at once ${most}`);
  assert.deepEqual(openDescriptors(), before);
}

async function visit(): Promise<void> {
  const before = openDescriptors();
  const conns: Socket[] = [];
  const connect = async (): Promise<void> => {
    while (conns.length < count) {
      const at = conns.push(undefined as never) - 1;
      conns[at] = await create_connection(["127.0.0.1", port]);
    }
  };
  await Promise.all(Array.from({ length: CONNECTING }, connect));
  const heard = conns.map(async (conn, at) => {
    const words = wordsOf(at);
    await conn.sendall(words);
    return (await receiveExactly(conn, words.length)).equals(words);
  });
  const right = (await Promise.all(heard)).filter(Boolean).length;
  await Promise.all(conns.map((conn) => conn.sendall(LAST)));
  const ends = await Promise.all(conns.map((conn) => conn.recv(1)));
  for (const conn of conns) conn.close();
  console.log(`right ${right}, ended ${ends.filter(({ length }) => length === 0).length}`);
  assert.deepEqual(openDescriptors(), before);
}

socket().close(); // the first one opens what waits for all
await (scenario === "serve" ? serve() : visit());
