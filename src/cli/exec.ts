// `berkeley listen --exec`: a program for each connection, which has the peer's bytes as its standard input and whose standard
// output the peer gets. It knows no command line.
//
// Why a pair of Unix sockets and not the connection itself, as inetd does it. A program expects a standard input that blocks,
// and O_NONBLOCK is of the open file, so this process could not watch the connection any more: no idle timeout, no PROXY
// protocol, no reset that ends the program. Why not two pipes: their ends do not tell when the program has closed one.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { socketpair } from "../index.ts";
import type { AnyAddress } from "../index.ts";
import { serve } from "../server/serve.ts";
import type { Connection } from "../server/connection.ts";
import { SocketListener, SocketStream } from "../stream/index.ts";
import type { ByteStream } from "../stream/index.ts";
import { formatEndpoint, isStream, UsageError } from "./endpoint.ts";
import type { SocketEndpoint } from "./endpoint.ts";
import { describeFailure, isExpected } from "./failure.ts";
import { listenOn } from "./open.ts";
import { describePeer } from "./peer.ts";
import { servingHandler, servingLimits, tellRefusals } from "./serving.ts";
import type { ServingOptions } from "./serving.ts";
import { note } from "./stdio.ts";
import type { TlsEnds } from "./tls-ends.ts";

/** A program, and its arguments as they are: no shell reads them. */
export interface ProgramToRun {
  readonly file: string;
  readonly args: readonly string[];
}

/** How long a program whose peer has gone may take to end after SIGTERM; then it gets SIGKILL. */
const KILL_AFTER_MS = 5_000;

/**
 * Runs the program for each connection, until the signal.
 *
 * @throws {EndpointError} it cannot be listened on. @throws {UsageError} the endpoint has no streams.
 */
export async function serveProgram(
  endpoint: SocketEndpoint,
  program: ProgramToRun,
  serving: ServingOptions,
  tls: TlsEnds | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (!isStream(endpoint)) throw new UsageError("--exec and --shell are for streams");
  const listener = await listenOn(endpoint);
  note(`listening on ${formatEndpoint(listener.endpoint)}`);
  const handler = servingHandler(
    (stream, connection) => converseWith(program, stream, connection),
    serving.proxyProtocol,
    tls,
  );
  const tell = async (line: string): Promise<void> => note(line);
  const server = serve(
    new SocketListener(listener.socket),
    tellRefusals(handler, tell),
    servingLimits(serving),
  );
  const stop = (): void => void server.shutdown({ deadlineMs: 0 });
  signal.addEventListener("abort", stop);
  try {
    if (signal.aborted) stop();
    await server.finished;
  } finally {
    signal.removeEventListener("abort", stop);
    listener.close();
  }
}

async function converseWith(
  program: ProgramToRun,
  stream: ByteStream,
  { accepted, stopping }: Connection<SocketStream>,
): Promise<void> {
  const peer = describePeer(accepted.socket, stream.remoteAddress ?? "");
  note(`${peer} connected`);
  const [ours, theirs] = socketpair();
  await using near = new SocketStream(ours);
  const env = { ...process.env, ...addressVariables(stream) };
  const fd = theirs.fileno();
  const child = spawn(program.file, program.args, { stdio: [fd, fd, "inherit"], env });
  theirs.close();
  const ended = once(child, "exit").then(([code, signal]) => (signal ?? code) as string | number);
  const over = new AbortController();
  try {
    // Whatever the program does not take, the peer's end of it is no failure; that the peer breaks is one.
    const input = toProgram(stream, near, over.signal);
    const output = fromProgram(near, stream).then(() => ended);
    const how = await Promise.race([output, input.then(() => output)]);
    note(`${peer} ended${how === 0 ? "" : `: ${program.file} ended with ${how}`}`);
  } catch (error) {
    await end(child, ended);
    const message = child.pid === undefined ? `cannot run ${program.file}: ${reason(error)}` : reason(error);
    if (!stopping.aborted) note(`${peer} failed: ${message}`);
    if (!isExpected(error)) throw error;
  } finally {
    over.abort();
  }
}

/** What the peer sends, until it ends, or the program does not take any more. */
async function toProgram(stream: ByteStream, near: ByteStream, signal: AbortSignal): Promise<void> {
  for (;;) {
    const data = await unlessAborted(stream.receiveSome(undefined, { signal }), signal);
    if (data === undefined) return;
    if (data.length === 0) return await near.closeWrite().catch(() => undefined);
    const taken = await near.sendAll(data).then(
      () => true,
      () => false,
    );
    if (!taken) return;
  }
}

async function unlessAborted<T>(outcome: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await outcome;
  } catch (error) {
    if (signal.aborted) return undefined;
    throw error;
  }
}

/** What the program writes, until it and all that it started have ended. */
async function fromProgram(near: ByteStream, stream: ByteStream): Promise<void> {
  for (;;) {
    // A program that ends without having read everything resets its end of a Unix socket: unix(7).
    const data = await near.receiveSome().catch(() => undefined);
    if (data === undefined || data.length === 0) return;
    await stream.sendAll(data);
  }
}

/** Ends a program that runs still. */
async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
  await ended;
  clearTimeout(timer);
}

function reason(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT") return "there is no such program";
  if (code === "EACCES") return "it may not be run";
  return describeFailure(error).message;
}

/** The addresses as tcpserver and its kin tell programs (UCSPI-TCP). */
function addressVariables({ localAddress, remoteAddress }: ByteStream): Record<string, string> {
  const [remote, local] = [internet(remoteAddress), internet(localAddress)];
  if (remote === undefined || local === undefined) return { PROTO: "UNIX" };
  return {
    PROTO: "TCP",
    TCPREMOTEIP: remote[0],
    TCPREMOTEPORT: String(remote[1]),
    TCPLOCALIP: local[0],
    TCPLOCALPORT: String(local[1]),
  };
}

/** How an IPv6 socket that also hears IPv4 writes such a peer (RFC 4291 section 2.5.5.2); programs know the rest of it. */
const MAPPED = "::ffff:";

function internet(address: AnyAddress | undefined): readonly [host: string, port: number] | undefined {
  if (!Array.isArray(address)) return undefined;
  const [host, port] = address as unknown as readonly [string, number];
  return [host.startsWith(MAPPED) ? host.slice(MAPPED.length) : host, port];
}
