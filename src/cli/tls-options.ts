// Options of TLS on the command line, and whether they fit the URLs. What they mean is in tls-ends.ts, which is loaded when
// there is a URL over TLS.

import type { Command } from "commander";
import { isSecure, UsageError } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import type { TlsEnds } from "./tls-ends.ts";

/** As commander gives them: paths of PEM files. */
export interface TlsFlags {
  readonly ca?: string | undefined;
  readonly cert?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure?: boolean | undefined;
}

/** Which ends of TLS a command has. */
export interface TlsRoles {
  readonly listens: boolean;
  readonly connects: boolean;
}

const CA: Readonly<Record<"connects" | "listens" | "both", string>> = {
  connects: "who vouches for the server, in place of the usual ones",
  listens: "who vouches for clients, who then must show a certificate",
  both: "who vouches for the server, in place of the usual ones; where only the listening side has TLS, for clients",
};

/** Adds the options to a command that can connect, listen, or do both. */
export function addTlsOptions(
  command: Command,
  { connects, listens }: TlsRoles,
  scheme: "tls://" | "https://" | "tls://, wss://" = "tls://, wss://",
): Command {
  command
    .option(
      "--ca <file>",
      `${scheme} (PEM): ${CA[connects && listens ? "both" : connects ? "connects" : "listens"]}`,
    )
    .option(
      "--cert <file>",
      `${scheme} (PEM): our own certificate, and those above it${listens ? "; to listen, one is needed" : ""}`,
    )
    .option("--key <file>", `${scheme} (PEM): its key (default: the file of --cert)`);
  if (connects)
    command.option(
      "--insecure",
      `${scheme}: connect to whoever answers; who is on the way can then read and change everything`,
    );
  return command;
}

/**
 * Makes ready for TLS where an endpoint wants it: files are read before anything is opened.
 *
 * @returns the ends; undefined: there is no tls:// or wss:// URL.
 * @throws {UsageError} the options do not fit the URLs or each other, or a file is not what it should be.
 */
export async function prepareTls(
  flags: TlsFlags,
  ends: { readonly listening?: readonly Endpoint[]; readonly connecting?: readonly Endpoint[] },
): Promise<TlsEnds | undefined> {
  const has = (endpoints: readonly Endpoint[] = []): boolean => endpoints.some(isSecure);
  const roles: TlsRoles = { listens: has(ends.listening), connects: has(ends.connecting) };
  if (
    !roles.connects &&
    !roles.listens &&
    [flags.ca, flags.cert, flags.key, flags.insecure].some((flag) => flag !== undefined)
  )
    throw new UsageError("--ca, --cert, --key and --insecure are for URLs over TLS: tls://, wss://");
  checkTlsFlags(flags, roles);
  if (!roles.connects && !roles.listens) return undefined;
  const { tlsEnds } = await import("./tls-ends.ts");
  return tlsEnds(flags, roles);
}

/** @throws {UsageError} the options do not fit each other, or these ends. */
export function checkTlsFlags({ ca, cert, insecure, key }: TlsFlags, { connects, listens }: TlsRoles): void {
  if (!connects && !listens) return;
  if (listens && cert === undefined)
    throw new UsageError("to listen with TLS needs a certificate and its key: --cert FILE --key FILE");
  if (key !== undefined && cert === undefined)
    throw new UsageError("--key is the key of a certificate, which --cert FILE has");
  if (insecure === true && !connects) throw new UsageError("--insecure is for who connects with TLS");
  if (insecure === true && ca !== undefined)
    throw new UsageError("--ca says whom to trust, and --insecure that it does not matter: one of them");
}
