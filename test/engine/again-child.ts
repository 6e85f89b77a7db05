// Moves bytes through a pair while its parent bombards it with signals. Run by again.test.ts.

import assert from "node:assert/strict";
import { create_connection, create_server } from "berkeley";
import { NARROW, pattern, tcpPair } from "../support/pair.ts";

const BYTES = 1 << 25;
/** Connections made and taken meanwhile. */
const CONNECTIONS = 200;

let signals = 0;
for (const signal of ["SIGURG", "SIGWINCH"] as const) process.on(signal, () => signals++);

using pair = await tcpPair(NARROW);
const { a, b } = pair;
console.log("ready");
const bytes = pattern(BYTES);
const sent = a.sendall(bytes);
const accepting = (async () => {
  using server = create_server(["127.0.0.1", 0]);
  for (let at = 0; at < CONNECTIONS; at++) {
    const [conn, [taken]] = await Promise.all([
      create_connection(server.getsockname() as [string, number]),
      server.accept(),
    ]);
    conn.close();
    taken.close();
  }
})();
for (let got = 0; got < BYTES; ) {
  const chunk = await b.recv(65_536);
  assert.ok(chunk.equals(bytes.subarray(got, got + chunk.length)));
  got += chunk.length;
}
await sent;
await accepting;
console.log(`${signals} signals`);
