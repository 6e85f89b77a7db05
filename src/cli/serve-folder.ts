// The service of `berkeley serve`: the files of a folder over HTTP, a line for each request. What is served and how,
// berkeley/http knows; the command line, serve.ts.

import { stat } from "node:fs/promises";
import { serve, staticFiles } from "../http/index.ts";
import type { HttpHandler, HttpRequest } from "../http/index.ts";
import { CommandError, EXIT, isExpected } from "./failure.ts";
import { describeSender } from "./peer.ts";
import { renderBytes } from "./render.ts";
import { note, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";
import type { TlsFlags } from "./tls-options.ts";
import { DRAIN_MS, prepareWeb } from "./web.ts";

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
  const openWeb = await prepareWeb(options.listen, options);
  await checkFolder(folder);
  using stop = stopOnSignals();
  const output = new Output();
  const web = await openWeb();
  const files = staticFiles(folder, { list: options.list });
  let failure: unknown;
  await using server = await serve({
    listener: web.listener,
    scheme: web.scheme,
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
    await output.write(`serving ${renderBytes(Buffer.from(folder))} on ${web.url}\n`);
    await server.finished;
  } finally {
    web.close();
  }
  if (failure !== undefined) throw failure as Error;
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
