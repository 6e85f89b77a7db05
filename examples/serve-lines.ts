// A server that answers each line, for so many clients at once, until Ctrl-C: then it lets them finish.
// node serve-lines.js [HOST [PORT]]
import { serve, shutdownOnSignals } from "berkeley/server";
import type { Handler } from "berkeley/server";
import { listenTcp } from "berkeley/stream";
import { ByteQueue } from "berkeley/wire";

const LINE_BYTES_MAX = 1000;

const answer: Handler = async (stream, { stopping }) => {
  const received = new ByteQueue();
  for (;;) {
    const end = received.indexOf(10);
    if (end >= 0) {
      await stream.sendAll(
        received
          .take(end + 1)
          .toString()
          .toUpperCase(),
      );
      continue;
    }
    if (received.length > LINE_BYTES_MAX) return await stream.sendAll("too long\n");
    const bytes = await stream.receiveSome(LINE_BYTES_MAX, { signal: stopping });
    if (bytes.length === 0) return;
    received.push(bytes);
  }
};

const listener = await listenTcp(process.argv[2] ?? "127.0.0.1", Number(process.argv[3] ?? 8888));
const server = serve(listener, answer, { connectionsMax: 100, idleTimeoutMs: 30_000 });
shutdownOnSignals(server);
console.log("listening on", ...(server.localAddress as [string, number]));

await server.finished;
const { accepted, finished, bytesReceived } = server.stats();
console.log(`served ${finished} of ${accepted} connections, ${bytesReceived} bytes`);
