// An echo server that tells its numbers at another port, as Prometheus reads them: what the server counts, and what happens to
// every socket of the program.
// node prometheus.js [HOST [PORT [METRICS_PORT]]]
import { subscribe } from "node:diagnostics_channel";
import type { SocketEvents } from "berkeley";
import { serve, shutdownOnSignals } from "berkeley/server";
import { listenTcp } from "berkeley/stream";

const [, , host = "127.0.0.1", port = "8888", metricsPort = "9090"] = process.argv;

const opened = { now: 0, ever: 0 };
const errors = new Map<string, number>();
subscribe("berkeley:open", () => (opened.now++, opened.ever++));
subscribe("berkeley:close", () => opened.now--);
subscribe("berkeley:error", (event) => {
  const { code, syscall } = event as SocketEvents["berkeley:error"];
  const key = `syscall="${syscall}",code="${code}"`;
  errors.set(key, (errors.get(key) ?? 0) + 1);
});

const server = serve(await listenTcp(host, Number(port)), async (stream) => {
  for (;;) {
    const data = await stream.receiveSome();
    if (data.length === 0) return;
    await stream.sendAll(data);
  }
});

function metrics(): string {
  const { accepted, active, aborted, bytesReceived, bytesSent, failed, finished, refused, timedOut } =
    server.stats();
  const lines = ["# TYPE echo_connections_total counter", `echo_connections_total ${accepted}`];
  lines.push("# TYPE echo_connections gauge", `echo_connections ${active}`);
  lines.push("# TYPE echo_connections_ended_total counter");
  for (const [how, count] of Object.entries({ finished, failed, timedOut, aborted, refused }))
    lines.push(`echo_connections_ended_total{how="${how}"} ${count}`);
  lines.push("# TYPE echo_bytes_total counter");
  lines.push(`echo_bytes_total{way="in"} ${bytesReceived}`, `echo_bytes_total{way="out"} ${bytesSent}`);
  lines.push("# TYPE sockets gauge", `sockets ${opened.now}`);
  lines.push("# TYPE sockets_total counter", `sockets_total ${opened.ever}`);
  lines.push("# TYPE socket_errors_total counter");
  for (const [key, count] of errors) lines.push(`socket_errors_total{${key}} ${count}`);
  return `${lines.join("\n")}\n`;
}

// Whatever is asked, the answer is the same: enough for a scraper, HTTP/1.0.
const told = serve(await listenTcp(host, Number(metricsPort)), async (stream) => {
  await stream.receiveSome();
  await stream.sendAll(`HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n${metrics()}`);
});

shutdownOnSignals([server, told]);
console.log("listening on", ...(server.localAddress as [string, number]));
console.log("metrics on", ...(told.localAddress as [string, number]));
