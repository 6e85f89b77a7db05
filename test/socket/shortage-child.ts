// A server that has few descriptors left. Run by accept.test.ts under a limit of descriptors (ulimit -n).

import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { create_server, socket } from "berkeley";
import { openSockets } from "../support/pair.ts";

/** Descriptors that are left when the rest is taken. */
const ROOM = 20;

process.on("warning", (warning: Error & { code?: string }) => console.log(`warning ${warning.code}`));

function takeAllBut(room: number): void {
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync("/dev/null", "r"));
  } catch {
    for (const fd of taken.slice(taken.length - room)) closeSync(fd);
  }
}

/** A listener without a descriptor for who waits; it must not keep the process from ending. */
async function unreferenced(): Promise<void> {
  const server = create_server(["127.0.0.1", 0]).unref();
  const client = socket();
  takeAllBut(0);
  void (async () => {
    for await (const [conn] of server) conn.close();
  })();
  const alive = setInterval(() => undefined, 1_000_000);
  await Promise.all([once(process, "warning"), client.connect(server.getsockname())]);
  clearInterval(alive);
}

async function serve(): Promise<void> {
  const before = openSockets().length;
  const server = create_server(["127.0.0.1", 0]);
  takeAllBut(ROOM);
  console.log(`port ${server.getsockname()[1]}`);
  const handlers: Promise<void>[] = [];
  process.stdin.resume().on("end", () => server.close());
  for await (const [conn] of server)
    handlers.push(
      (async () => {
        using _ = conn;
        for (let data = await conn.recv(100); data.length > 0; data = await conn.recv(100))
          await conn.sendall(data);
      })(),
    );
  await Promise.all(handlers);
  console.log(`served ${handlers.length}, left ${openSockets().length - before}`);
}

await (process.argv[2] === "unref" ? unreferenced() : serve());
