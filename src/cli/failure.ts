// What went wrong, as one plain sentence and an exit code. All exit codes and all messages for failures are here; where
// a failure comes from is said by the error (EndpointError, UsageError), never guessed.

import { dirname } from "node:path";
import { AddressError, SocketError } from "../index.ts";
import { ServerError } from "../server/errors.ts";
import { TlsError } from "../tls/errors.ts";
import { RemoteProtocolError } from "../wire/index.ts";
import { formatEndpoint, UsageError } from "./endpoint.ts";
import type { Endpoint, UnixEndpoint } from "./endpoint.ts";
import { renderMessage } from "./render.ts";

/**
 * What the command's exit status means.
 *
 * A server that serves until it is told to stop (`echo`, `listen --keep`, `relay listen:…`) ends with 0 on SIGINT and
 * SIGTERM: it did what it was asked, as nginx, redis-server and `python3 -m http.server` see it. A conversation
 * (`connect`, `listen`, `relay`) that is interrupted has not finished, and dies of the signal as every tool does, so that
 * the shell says 130 or 143 and a loop around it stops.
 */
export const EXIT = {
  OK: 0,
  /** The network said no: refused, reset, unreachable, timed out, no such name, an address that cannot be had. */
  NETWORK: 1,
  /** The command line cannot be understood. */
  USAGE: 2,
  /** Of `ping` everything but an answer (0) and silence (1), as ping(8) has it. */
  PING: 2,
  /** A fault of this program (sysexits.h EX_SOFTWARE). */
  FAULT: 70,
  /** The reader of standard output has gone: 128 + SIGPIPE, as a shell shows it for every other tool. */
  OUTPUT_CLOSED: 141,
} as const;

/** Shown by --help. */
export const EXIT_HELP: string = `
Exit status:
  0    done; also what runs until it is told to stop (echo, listen --keep, relay listen:, capture), and was
  1    the network said no: refused, reset, timed out, no such name or path, port in use; ping: nobody answered
  2    the command line cannot be understood; ping: any other failure
  70   a fault of this program
  130  interrupted (Ctrl-C) in the middle of a conversation; 143: terminated
  141  the reader of standard output has gone`;

/** Opening an endpoint failed; `cause` says how. */
export class EndpointError extends Error {
  override readonly name: string = "EndpointError";
  readonly verb: "listen on" | "connect to";
  readonly endpoint: Endpoint;

  constructor(verb: "listen on" | "connect to", endpoint: Endpoint, cause: unknown) {
    super(`cannot ${verb} ${formatEndpoint(endpoint)}`, { cause });
    this.verb = verb;
    this.endpoint = endpoint;
  }
}

/** A failure that a command words itself, with the exit status that it has there; without words nothing is printed. */
export class CommandError extends Error {
  override readonly name: string = "CommandError";
  readonly exitCode: number;

  constructor(message: string, exitCode: number, cause?: unknown) {
    super(message, { cause });
    this.exitCode = exitCode;
  }
}

/** The reader of standard output has gone (EPIPE): nothing to say, and nobody to say it to. */
export class OutputClosedError extends Error {
  override readonly name: string = "OutputClosedError";
}

/** What to print on standard error ("" is nothing), and the exit status. */
export interface Failure {
  readonly message: string;
  readonly exitCode: number;
}

/** Says what an error means to the person who ran the command. */
export function describeFailure(error: unknown): Failure {
  const { message, exitCode } = described(error);
  return { message: renderMessage(message), exitCode };
}

function described(error: unknown): Failure {
  if (error instanceof OutputClosedError) return { message: "", exitCode: EXIT.OUTPUT_CLOSED };
  if (error instanceof CommandError) return { message: error.message, exitCode: error.exitCode };
  if (error instanceof UsageError) return { message: error.message, exitCode: EXIT.USAGE };
  if (error instanceof EndpointError)
    return isExpected(error.cause)
      ? { message: `${error.message}: ${reason(error, error.cause)}`, exitCode: EXIT.NETWORK }
      : described(error.cause);
  if (isExpected(error)) return { message: error.message, exitCode: EXIT.NETWORK };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message: `this is a fault of the program, please report it:\n${text}`, exitCode: EXIT.FAULT };
}

/** Failures of the system or the network, as against faults of ours: they carry the system's code. */
export function isExpected(error: unknown): error is Error & { code: string } {
  for (const kind of [SocketError, AddressError, ServerError, TlsError, RemoteProtocolError])
    if (error instanceof kind) return true;
  return error instanceof Error && "syscall" in error && "code" in error && typeof error.code === "string";
}

/** The first port that needs no right: ip(7), ip_unprivileged_port_start. */
const UNPRIVILEGED_PORT_DEFAULT = 1024;

function reason(error: EndpointError, cause: Error & { code: string }): string {
  const { verb, endpoint } = error;
  if (endpoint.kind === "unix") return unixReason(verb, endpoint, cause);
  const { kind, host, port } = endpoint;
  switch (cause.code) {
    case "EADDRINUSE": {
      const sockets = kind === "udp" ? "-lunp" : "-ltnp";
      return `the port is in use by another program (to see which: ss ${sockets} 'sport = :${port}')`;
    }
    case "EACCES":
      return port < UNPRIVILEGED_PORT_DEFAULT && verb === "listen on"
        ? `ports below ${UNPRIVILEGED_PORT_DEFAULT} need root, the capability CAP_NET_BIND_SERVICE, or a lower net.ipv4.ip_unprivileged_port_start`
        : "the system does not allow it";
    case "EADDRNOTAVAIL":
      return verb === "listen on"
        ? `${host} is not an address of this machine`
        : "no local address is free for it";
    case "EAFNOSUPPORT":
      return "this system does not have that kind of address (is IPv6 turned off?)";
    case "ECONNREFUSED":
      return "connection refused: nothing listens there";
    case "ECONNRESET":
      return "the peer reset the connection at once";
    case "ETIMEDOUT":
      return "timed out: no answer";
    case "ENETUNREACH":
      return "network unreachable: this machine has no route to it";
    case "EHOSTUNREACH":
      return "host unreachable: the network found no way to it";
    default:
      return unresolved(host, cause) ?? cause.message;
  }
}

/** Why a name has no address; undefined: that is not what failed. */
export function unresolved(host: string, { code }: { readonly code: string }): string | undefined {
  switch (code) {
    case "EAI_NONAME":
    case "EAI_NODATA":
    case "EAI_ADDRFAMILY":
      return `the name ${JSON.stringify(host)} does not resolve`;
    case "EAI_AGAIN":
      return `the name ${JSON.stringify(host)} does not resolve just now: no name server answered`;
    default:
      return undefined;
  }
}

function unixReason(
  verb: EndpointError["verb"],
  { abstract, name }: UnixEndpoint,
  cause: Error & { code: string },
): string {
  const listening = verb === "listen on";
  switch (cause.code) {
    case "EADDRINUSE":
      return "another program listens there (to see which: ss -xlp)";
    case "ENOTSOCK":
      return "a file that is no socket is there, and it is left alone";
    case "ENOENT":
      return listening ? `there is no directory ${dirname(name)}` : "no such path: nothing listens there";
    case "ENOTDIR":
      return `${dirname(name)} is not a directory`;
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return listening
        ? `no permission to make a file in ${dirname(name)}`
        : "no permission: to connect is to write to the path";
    case "ECONNREFUSED":
      return abstract
        ? "connection refused: nothing listens there"
        : "connection refused: nothing listens there; if it is a socket, its program has gone and left it";
    case "EPROTOTYPE":
      return "what listens there is of another type: stream, dgram and seqpacket do not mix";
    case "EAGAIN":
      return "the queue of connections there is full";
    case "ETIMEDOUT":
      return "timed out: the queue of connections there is full";
    default:
      return cause.message;
  }
}
