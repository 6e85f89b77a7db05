// The service of `berkeley serve`: the files of a folder over HTTP, a line for each request. What is served and how,
// berkeley/http knows; the command line, serve.ts.

import { stat } from "node:fs/promises";
import { serve, staticFiles } from "../http/index.ts";
import type { HttpHandler, HttpRequest } from "../http/index.ts";
import { SocketListener } from "../stream/index.ts";
import type { StreamListener } from "../stream/index.ts";
import { formatEndpoint, formatHostPort, isStream, parseEndpoint, UsageError } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { CommandError, EXIT, isExpected } from "./failure.ts";
import { listenOn } from "./open.ts";
import type { Opened } from "./open.ts";
import { describeSender } from "./peer.ts";
import { renderBytes } from "./render.ts";
import { note, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";
import { prepareTls } from "./tls-options.ts";
import type { TlsFlags } from "./tls-options.ts";

/** How long answers may take to finish at Ctrl-C. */
const DRAIN_MS = 2000;

/** As commander gives them. */
export interface ServeOptions extends TlsFlags {
  readonly listen: string;
  readonly list: boolean;
  readonly compress: boolean;
  readonly quiet: boolean;
}

/**
 * Serves until a signal.
 *
 * @throws {EndpointError} it cannot listen. @throws {CommandError} there is no such folder. @throws {UsageError}
 */
export async function serveFolder(folder: string, options: ServeOptions): Promise<void> {
  const endpoint = parseEndpoint(options.listen);
  if (!isStream(endpoint)) throw new UsageError("--listen takes tcp://, tls:// or unix://");
  await prepareTls(options, { listening: [endpoint] });
  await checkFolder(folder);
  using stop = stopOnSignals();
  const output = new Output();
  const opened = await listenOn(endpoint);
  const files = staticFiles(folder, { list: options.list });
  let failure: unknown;
  await using server = await serve({
    listener: await listenerOf(opened, options),
    scheme: endpoint.kind === "tls" ? "https" : "http",
    handle: options.quiet ? files : printing(files, (line) => output.write(`${line}\n`)),
    compress: options.compress,
    drainTimeoutMs: DRAIN_MS,
    signal: stop.signal,
    onError(error) {
      if (isExpected(error)) note(error.message);
      else {
        failure = error;
        void server.shutdown({ deadlineMs: 0 });
      }
    },
  });
  try {
    await output.write(`serving ${renderBytes(Buffer.from(folder))} on ${urlOf(opened.endpoint)}\n`);
    await server.finished;
  } finally {
    opened.close();
  }
  if (failure !== undefined) throw failure as Error;
}

async function listenerOf({ endpoint, socket }: Opened, flags: TlsFlags): Promise<StreamListener> {
  const listener = new SocketListener(socket);
  if (endpoint.kind !== "tls") return listener;
  const { secureWith } = await import("./tls-ends.ts");
  return secureWith(flags, listener);
}

/** As a browser takes it, where one can. */
function urlOf(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return formatEndpoint(endpoint);
  return `${endpoint.kind === "tls" ? "https" : "http"}://${formatHostPort(endpoint.host === "" ? "localhost" : endpoint.host, endpoint.port)}/`;
}

/** @throws {CommandError} there is no such folder. */
async function checkFolder(folder: string): Promise<void> {
  const name = renderBytes(Buffer.from(folder));
  try {
    if ((await stat(folder)).isDirectory()) return;
  } catch (error) {
    if (!isExpected(error)) throw error;
    throw new CommandError(`cannot serve ${name}: ${error.message}`, EXIT.NETWORK, error);
  }
  throw new CommandError(`cannot serve ${name}: it is no folder`, EXIT.NETWORK);
}

/** Prints a line for each request when it was answered. */
function printing(handler: HttpHandler, print: (line: string) => Promise<void>): HttpHandler {
  return async (request, reply) => {
    try {
      await handler(request, reply);
    } finally {
      await print(
        `${whoAsks(request)} ${request.method} ${shown(request.target)} ${reply.status ?? "unanswered"}`,
      );
    }
  };
}

function whoAsks({ remoteAddress }: HttpRequest): string {
  return describeSender(remoteAddress ?? "");
}

function shown(target: string): string {
  return renderBytes(Buffer.from(target, "latin1"));
}
