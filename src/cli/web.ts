// Where a command serves HTTP: a URL of the command line, opened, with TLS where it wants that. It knows no command and
// no handler.

import { SocketListener } from "../stream/index.ts";
import type { StreamListener } from "../stream/index.ts";
import { formatEndpoint, formatHostPort, isStream, parseEndpoint, UsageError } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { listenOn } from "./open.ts";
import { prepareTls } from "./tls-options.ts";
import type { TlsFlags } from "./tls-options.ts";

/** How long answers may take to finish at Ctrl-C. */
export const DRAIN_MS = 2000;

/** A place that is listened on. */
export interface OpenedWeb {
  readonly listener: StreamListener;
  readonly scheme: "http" | "https";
  /** As a browser takes it, where one can. */
  readonly url: string;
  /** The name or address that was asked for; "" is all, undefined a Unix socket. */
  readonly host: string | undefined;
  readonly close: () => void;
}

/**
 * Reads what --listen says, and what belongs to it, before anything is opened.
 *
 * @returns opens it. It throws {EndpointError}: it cannot be listened on.
 * @throws {UsageError} it is no such URL, or the options of TLS do not fit it.
 */
export async function prepareWeb(url: string, flags: TlsFlags): Promise<() => Promise<OpenedWeb>> {
  const endpoint = parseEndpoint(url);
  if (!isStream(endpoint)) throw new UsageError("--listen takes tcp://, tls:// or unix://");
  const tls = await prepareTls(flags, { listening: [endpoint] });
  return async () => {
    const opened = await listenOn(endpoint);
    const listener = new SocketListener(opened.socket);
    const isSecure = endpoint.kind === "tls" && tls !== undefined;
    return {
      listener: isSecure ? tls.listener(listener) : listener,
      scheme: isSecure ? "https" : "http",
      url: urlOf(opened.endpoint),
      host: endpoint.kind === "unix" ? undefined : endpoint.host,
      close: opened.close,
    };
  };
}

function urlOf(endpoint: Endpoint): string {
  if (endpoint.kind === "unix") return formatEndpoint(endpoint);
  const host = endpoint.host === "" ? "localhost" : endpoint.host;
  return `${endpoint.kind === "tls" ? "https" : "http"}://${formatHostPort(host, endpoint.port)}/`;
}
