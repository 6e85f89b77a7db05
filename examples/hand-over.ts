// A server that is restarted without refusing a connection: the one that runs passes its listening socket over a Unix socket
// to the one that is started, goes on until that one accepts, finishes whom it serves, and ends. Connections that come in
// between wait in the kernel's queue, which is the socket's and no process's.
//   node hand-over.js PATH [HOST [PORT]]     once, and once more for each restart
import { unlinkSync } from "node:fs";
import { AF_UNIX, create_server, recv_fds, send_fds, socket } from "berkeley";
import type { Socket } from "berkeley";

const path = process.argv[2] ?? "/tmp/hand-over.sock";
const stop = new AbortController();
const serving = new Set<Promise<void>>();

/** Each line comes back with the number of the process that served it. */
async function serve(conn: Socket): Promise<void> {
  await using file = conn.makefile("rw");
  conn.close(); // the file holds it
  for await (const line of file) {
    await file.write(`${process.pid} ${line}`);
    await file.flush();
  }
}

async function accept(): Promise<void> {
  for (;;) {
    const [conn] = await server.accept({ signal: stop.signal });
    const served = serve(conn).catch((error: unknown) => console.log("lost:", error));
    serving.add(served);
    void served.then(() => serving.delete(served));
  }
}

const before = socket(AF_UNIX);
const running = (await before.connect_ex(path)) === 0;
const server = running
  ? socket(undefined, undefined, undefined, { fileno: (await recv_fds(before, 1, 1))[1][0] })
  : create_server([process.argv[3] ?? "127.0.0.1", Number(process.argv[4] ?? 8888)]);
const accepting = accept().catch((error: unknown) => {
  if (!stop.signal.aborted) throw error; // an accept that is aborted has taken nobody
});
if (running) {
  await before.sendall("+"); // now it may stop,
  await before.recv(1); // and when it has given the path up, this ends
}
before.close();

const control = create_server(path, { family: AF_UNIX, unlink_stale: true });
console.log("listening on", ...server.getsockname());
for await (const [successor] of control) {
  await send_fds(successor, ["+"], [server.fileno()]);
  if ((await successor.recv(1)).length > 0) {
    control.close(); // which ends this loop
    unlinkSync(path);
    stop.abort();
  }
  successor.close();
}
await accepting;
server.close();
console.log("handed over; to be finished:", serving.size);
await Promise.all(serving);
