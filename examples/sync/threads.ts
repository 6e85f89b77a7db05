// An echo server on several threads: each accepts from the same listener and serves its client with calls that block.
// The main thread's event loop stays free.
// node threads.js [HOST [PORT [THREADS]]]
import { Worker, isMainThread, workerData } from "node:worker_threads";
import * as socket from "berkeley/sync";

if (isMainThread) {
  const host = process.argv[2] ?? "127.0.0.1";
  const port = Number(process.argv[3] ?? 8888);
  const threads = Number(process.argv[4] ?? 4);

  const server = socket.create_server([host, port]);
  const address = server.getsockname();
  const fd = server.detach(); // stays open as long as the process lives
  for (let thread = 1; thread <= threads; thread++) {
    const worker = new Worker(new URL(import.meta.url), { workerData: fd });
    worker.on("exit", () => console.log("a thread has ended:", thread));
  }
  console.log("listening on", ...address);
} else {
  const server = socket.fromfd(workerData as number, socket.AF_INET, socket.SOCK_STREAM);
  for (const [conn] of server) {
    for (let data = conn.recv(1024); data.length > 0; data = conn.recv(1024)) conn.sendall(data);
    conn.close();
  }
}
