// The echo service in threads: each serves and prints for itself. It knows no command line.

import { serveWorkers } from "../server/workers.ts";
import type { WorkersServer } from "../server/workers.ts";
import { SocketListener } from "../stream/index.ts";
import { formatEndpoint, isStream, UsageError } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { OutputClosedError } from "./failure.ts";
import { listenOn } from "./open.ts";
import type { Opened } from "./open.ts";
import { servingLimits } from "./serving.ts";
import type { ServingOptions } from "./serving.ts";
import { note } from "./stdio.ts";
import type { TlsFlags } from "./tls-options.ts";

/** What a thread is told. */
export interface EchoTask {
  /** Trusted proxies. */
  readonly proxyProtocol?: readonly string[] | undefined;
  /** How it listens, where it is with TLS. */
  readonly tls?: TlsFlags | undefined;
}

/**
 * Echoes on every endpoint until the signal, in as many threads for each.
 *
 * @throws {EndpointError} an endpoint cannot be listened on; none is then. @throws {UsageError} one has no streams.
 * @throws {OutputClosedError} the reader of standard output has gone.
 */
export async function serveEchoWorkers(
  endpoints: readonly Endpoint[],
  workers: number,
  serving: ServingOptions & TlsFlags,
  signal: AbortSignal,
): Promise<void> {
  if (!endpoints.every(isStream)) throw new UsageError("--workers is for streams");
  const over = new AbortController();
  const stop = (): void => over.abort();
  signal.addEventListener("abort", stop);
  // What workers write goes through this thread's standard output.
  let gone = false;
  process.stdout.once("error", () => {
    gone = true;
    stop();
  });
  const opened: Opened[] = [];
  const servers: WorkersServer[] = [];
  try {
    for (const endpoint of endpoints) opened.push(await listenOn(endpoint));
    const module = new URL("./echo-worker.js", import.meta.url);
    for (const { endpoint, socket } of opened) {
      const { ca, cert, key, proxyProtocol } = serving;
      const task: EchoTask = { proxyProtocol, tls: endpoint.kind === "tls" ? { ca, cert, key } : undefined };
      servers.push(
        await serveWorkers(new SocketListener(socket), module, {
          ...servingLimits(serving),
          workers,
          argv: [JSON.stringify(task)],
          onDeath: (error, worker) => note(`worker ${worker} died: ${error.message}`),
        }),
      );
    }
    for (const { endpoint } of opened) process.stdout.write(`listening on ${formatEndpoint(endpoint)}\n`);
    if (!over.signal.aborted) await new Promise((resolve) => over.signal.addEventListener("abort", resolve));
  } finally {
    signal.removeEventListener("abort", stop);
    await Promise.all(servers.map((server) => server.shutdown({ deadlineMs: 0 })));
    for (const { close } of opened) close();
  }
  if (gone) throw new OutputClosedError("standard output is closed");
}
