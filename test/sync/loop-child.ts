// What a program with blocking sockets holds: descriptors of pollers, and the event loop. For faces.test.ts.

import { readdirSync, readlinkSync } from "node:fs";

/** Descriptors of epoll that this process has. */
function pollers(): number {
  const links = readdirSync("/proc/self/fd").map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ""; // the one that read the directory
    }
  });
  return links.filter((link) => link.includes("eventpoll")).length;
}

const before = pollers();
const { create_connection, create_server } = await import("berkeley/sync");
const server = create_server(["127.0.0.1", 0]);
const [host, port] = server.getsockname();
const client = create_connection([host, port]);
const [conn] = server.accept();
client.settimeout(0.01);
try {
  client.recv(1);
} catch (error) {
  if ((error as Error).name !== "TimeoutError") throw error;
}
conn.sendall("x");
client.recv(1);
console.log(`${pollers() - before} pollers more`);
process.on("exit", () => console.log(server.closed ? "" : "ended with an open listener"));
