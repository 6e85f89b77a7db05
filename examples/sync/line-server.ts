// Answers each line with its length, through files over the connection.
// node line-server.js [HOST [PORT]]
import * as socket from "berkeley/sync";

const host = process.argv[2] ?? "127.0.0.1";
const port = Number(process.argv[3] ?? 8888);

using server = socket.create_server([host, port]);
console.log("listening on", ...server.getsockname());

const [conn, address] = server.accept();
console.log("connected:", address[0]);
using reader = conn.makefile("r");
using writer = conn.makefile("w");
conn.close();
for (const line of reader) {
  writer.write(`${line.trimEnd().length}\n`);
  writer.flush();
}
