// Options that commands with many peers at once have in common, and what they mean to serve(). It serves nothing itself.

import type { Command } from "commander";
import { AddressList } from "../server/address-list.ts";
import type { Handler } from "../server/connection.ts";
import { ServerError } from "../server/errors.ts";
import { behindProxy } from "../server/proxied.ts";
import type { SocketStream } from "../stream/index.ts";
import { RemoteProtocolError } from "../wire/index.ts";
import { CONNECTIONS_MAX } from "./crowd.ts";
import { UsageError } from "./endpoint.ts";
import { isExpected } from "./failure.ts";
import { describePeer } from "./peer.ts";
import { parseSeconds } from "./seconds.ts";
import type { TlsEnds } from "./tls-ends.ts";

/** More than a process may have descriptors by any usual setting (fs.nr_open). */
const COUNT_MAX = 1_048_576;

/** As commander gives them. */
export interface ServingOptions {
  readonly maxConnections?: number;
  readonly idleTimeout?: number;
  /** Trusted proxies. */
  readonly proxyProtocol?: readonly string[];
}

/** Limits for serve() and serveWorkers(). */
export interface ServingLimits {
  readonly connectionsMax: number;
  readonly idleTimeoutMs: number;
}

/** Reads the value of an option that counts, for commander. @throws {UsageError} it is no number from 1 on. */
export function parseCount(option: string): (text: string) => number {
  return (text) => {
    const count = /^\d+$/.test(text) ? Number(text) : 0;
    if (count < 1 || count > COUNT_MAX)
      throw new UsageError(`${option} is a whole number from 1 to ${COUNT_MAX}`);
    return count;
  };
}

function parseAddresses(text: string): readonly string[] {
  const entries = text.split(",");
  try {
    void new AddressList(entries);
  } catch (error) {
    throw new UsageError(`--proxy-protocol: ${(error as Error).message}`);
  }
  return entries;
}

/** Adds the options to a command. */
export function addServingOptions(command: Command): Command {
  return command
    .option(
      "--max-connections <number>",
      `peers at once; the rest waits in the kernel's queue (default: ${CONNECTIONS_MAX})`,
      parseCount("--max-connections"),
    )
    .option(
      "--idle-timeout <seconds>",
      "end a connection on which nothing moves for so long (default: never)",
      parseSeconds("--idle-timeout"),
    )
    .option(
      "--proxy-protocol <proxies>",
      "take the PROXY protocol's header, version 1 or 2, off each connection, and refuse all that do not come from these " +
        'addresses and networks, separated by commas ("127.0.0.1,10.0.0.0/8", "unix")',
      parseAddresses,
    );
}

/** Whether any of the options was given. */
export function areServingOptions(options: ServingOptions): boolean {
  return (
    options.maxConnections !== undefined ||
    options.idleTimeout !== undefined ||
    options.proxyProtocol !== undefined
  );
}

/** The limits that the options mean. */
export function servingLimits({ idleTimeout, maxConnections }: ServingOptions): ServingLimits {
  return {
    connectionsMax: maxConnections ?? CONNECTIONS_MAX,
    idleTimeoutMs: (idleTimeout ?? Infinity) * 1000,
  };
}

/** A handler over TLS, if there is any, behind a proxy if the options say so: its header is in the clear, and comes first. */
export function servingHandler(
  handler: Handler<SocketStream>,
  trusted: readonly string[] | undefined,
  tls: TlsEnds | undefined,
): Handler<SocketStream> {
  const inner = tls === undefined ? handler : tls.secured(handler);
  return trusted === undefined ? inner : behindProxy(inner, { trusted });
}

/**
 * A handler that also says whom it does not serve, and why: no trusted proxy, no sound header, no handshake. Whatever it
 * throws is passed on.
 */
export function tellRefusals(
  handler: Handler<SocketStream>,
  tell: (line: string) => Promise<void>,
): Handler<SocketStream> {
  return async (stream, connection) => {
    try {
      await handler(stream, connection);
    } catch (error) {
      if (!isExpected(error) && !(error instanceof RemoteProtocolError)) throw error;
      if (connection.signal.aborted || connection.stopping.aborted) throw error;
      const peer = describePeer(connection.accepted.socket, stream.remoteAddress ?? "");
      await tell(`${peer} refused: ${error.message}`);
      throw new ServerError("ERR_ADDRESS_DENIED", error.message);
    }
  };
}
