// A program with an open TLS connection on which nobody waits: "held", or "unref". It says when it is connected. Run by
// ends.test.ts.

import { readFileSync } from "node:fs";
import { connectTls } from "berkeley/tls";

const [port, ca, how] = process.argv.slice(2) as [string, string, string];
const stream = await connectTls("127.0.0.1", Number(port), { serverName: "localhost", ca: readFileSync(ca) });
if (how === "unref") stream.unref();
process.once("SIGTERM", () => stream.close());
console.log("connected");
