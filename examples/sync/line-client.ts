// Sends lines, says that there are no more, and prints what comes back.
// node line-client.js [HOST [PORT [LINE...]]]
import * as socket from "berkeley/sync";

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 8888);
const lines = process.argv.length > 4 ? process.argv.slice(4) : ["one", "three"];

using conn = socket.create_connection([host, port], { timeout: 10 });
using reader = conn.makefile("r");
using writer = conn.makefile("w");
for (const line of lines) writer.write(`${line}\n`);
writer.flush();
conn.shutdown(socket.SHUT_WR);
for (const answer of reader) console.log("answer:", answer.trimEnd());
