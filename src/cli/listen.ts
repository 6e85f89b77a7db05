// `berkeley listen URL`: the other end of `berkeley connect`. One peer; with --keep many, one after another; with --exec many at
// once, each with a program of its own (exec.ts).

import type { Command } from "commander";
import type { AnyAddress } from "../index.ts";
import { MESSAGE_BYTES_MAX, peerChannel, stdioChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { acceptChannel } from "./connections.ts";
import { converse } from "./converse.ts";
import {
  checkSocket,
  formatEndpoint,
  isDatagram,
  isWebSocket,
  parseEndpoint,
  UsageError,
} from "./endpoint.ts";
import type { SocketEndpoint, WebSocketEndpoint } from "./endpoint.ts";
import { describeFailure, isExpected } from "./failure.ts";
import type { ProgramToRun } from "./exec.ts";
import { listenOn } from "./open.ts";
import type { Opened } from "./open.ts";
import { describePeer, describeSender, isNameless } from "./peer.ts";
import { parseSeconds } from "./seconds.ts";
import { addServingOptions, areServingOptions } from "./serving.ts";
import type { ServingOptions } from "./serving.ts";
import { Input, note, notePeerEnded, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";
import type { TlsEnds } from "./tls-ends.ts";
import { addTlsOptions, prepareTls } from "./tls-options.ts";
import type { TlsFlags } from "./tls-options.ts";
import { serveWebSockets } from "./websocket.ts";

interface Options extends ServingOptions, TlsFlags {
  readonly keep: boolean;
  readonly quiet?: number;
  readonly exec: boolean;
  readonly shell?: string;
}

const HELP = `
Examples:
  berkeley listen tcp://:8888
  berkeley listen --exec unix:///run/date.sock date
  berkeley listen --exec tcp://:7777 -- grep --line-buffered -v secret
  berkeley listen --cert web.pem --key web.key tls://:8443
  berkeley listen --shell 'read name; echo "hello $name, at $TCPREMOTEIP"' tcp://:7777
A program has the peer's bytes as its standard input, and the peer what it writes to standard
output. Its environment has PROTO, TCPREMOTEIP, TCPREMOTEPORT, TCPLOCALIP, TCPLOCALPORT.`;

/** Adds the subcommand to the program. */
export function addListen(program: Command): void {
  const command = program
    .command("listen")
    .description(
      "take one connection, then send standard input to the peer and write what it sends to standard output",
    )
    .argument(
      "<URL>",
      "where to listen; port 0 lets the system pick one; with datagrams, the first sender is the peer",
    )
    .option("-k, --keep", "take the next connection when a peer has ended, until Ctrl-C", false)
    .option(
      "-q, --quiet <seconds>",
      "with datagrams and WebSockets, end when input has ended and nothing has come for so long (default: never)",
      parseSeconds("--quiet"),
    )
    .argument("[program...]", "with --exec: what to run, and its arguments; behind --, if these have dashes")
    .option(
      "-e, --exec",
      "run a program for each connection, many at once, until Ctrl-C; no shell reads it",
      false,
    )
    .option("-c, --shell <command>", "the same with a command for sh(1)")
    .addHelpText("after", HELP);
  addTlsOptions(addServingOptions(command), { connects: false, listens: true });
  command.action(async (url: string, words: string[], options: Options) => {
    const endpoint = parseEndpoint(url);
    const toRun = programOf(words, options);
    const tls = await prepareTls(options, { listening: [endpoint] });
    if (toRun !== undefined) {
      const { serveProgram } = await import("./exec.ts");
      using stop = stopOnSignals();
      const listening = checkSocket(endpoint, "a program for each connection");
      return await serveProgram(listening, toRun, options, tls, stop.signal);
    }
    if (areServingOptions(options))
      throw new UsageError(
        "--max-connections, --idle-timeout and --proxy-protocol are for --exec and --shell",
      );
    if (options.keep && isDatagram(endpoint))
      throw new UsageError(
        "--keep is for connections: datagrams have no end after which the next peer comes",
      );
    using input = new Input();
    const quietMs = (options.quiet ?? Infinity) * 1000;
    if (isWebSocket(endpoint)) return await listenForWebSockets(endpoint, input, quietMs, options.keep, tls);
    await (options.keep ? listenForMany(endpoint, input, tls) : listenForOne(endpoint, input, quietMs, tls));
  });
}

/** What is to be run for each connection, if anything is. */
function programOf(
  words: readonly string[],
  { exec, keep, quiet, shell }: Options,
): ProgramToRun | undefined {
  if (exec && shell !== undefined) throw new UsageError("--exec and --shell: one of them");
  if ((exec || shell !== undefined) && (keep || quiet !== undefined))
    throw new UsageError("--keep and --quiet are not for programs: each peer has one of its own");
  const [file, ...args] = words;
  if (exec && file === undefined) throw new UsageError("--exec needs a program behind the URL");
  if (!exec && file !== undefined)
    throw new UsageError(`too many arguments: ${file} (a program to run needs --exec)`);
  if (shell !== undefined) return { file: "/bin/sh", args: ["-c", shell] };
  return file === undefined ? undefined : { file, args };
}

async function open(endpoint: SocketEndpoint): Promise<Opened> {
  const listener = await listenOn(endpoint);
  note(`listening on ${formatEndpoint(listener.endpoint)}`);
  return listener;
}

/** Takes one peer, and carries between it and the input and the standard output. */
export async function listenForOne(
  endpoint: SocketEndpoint,
  input: Input,
  quietMs: number,
  tls: TlsEnds | undefined,
): Promise<void> {
  const listener = await open(endpoint);
  const peer = await (isDatagram(endpoint) ? firstSender(listener) : firstConnection(listener, tls));
  await converse(stdioChannel(input, new Output()), peer, {
    peerEnded: () => notePeerEnded(input),
    quietMs,
  });
}

async function firstConnection(listener: Opened, tls: TlsEnds | undefined): Promise<Channel> {
  const [conn, address] = await listener.socket.accept<AnyAddress>().finally(() => listener.close());
  note(`${describePeer(conn, address)} connected`);
  return await acceptChannel(conn, listener.endpoint, tls);
}

/** Connects to whoever sends first, so that others are refused by the system and its own refusals are told. */
async function firstSender({ socket, close }: Opened): Promise<Channel> {
  try {
    const [data, sender] = await socket.recvfrom<AnyAddress>(MESSAGE_BYTES_MAX);
    const name = describeSender(sender);
    if (isNameless(sender)) note(`${name} sent something, and cannot be answered`);
    else {
      await socket.connect(sender);
      note(`${name} sent something`);
    }
    return peerChannel(socket, sender, data, close);
  } catch (error) {
    close();
    throw error;
  }
}

/**
 * The same with WebSockets, one at a time: the first, or one after another.
 *
 * @throws {EndpointError} it cannot be listened on. @throws what ended the conversation of a first one.
 */
export async function listenForWebSockets(
  endpoint: WebSocketEndpoint,
  input: Input,
  quietMs: number,
  keep: boolean,
  tls: TlsEnds | undefined,
): Promise<void> {
  const output = new Output();
  using stop = keep ? stopOnSignals() : undefined;
  const enough = new AbortController();
  const signal = stop === undefined ? enough.signal : AbortSignal.any([stop.signal, enough.signal]);
  let fault: { readonly error: unknown } | undefined;
  const serving = { connectionsMax: 1, texts: "utf8", signal, tls } as const;
  await using server = await serveWebSockets(endpoint, serving, async (channel, peer) => {
    note(`${peer} connected`);
    try {
      const peerEnded = (): void => notePeerEnded(input);
      await converse(stdioChannel(input, output), channel, keep ? { until: "peer" } : { peerEnded, quietMs });
      if (keep && !signal.aborted) note(`${peer} ended`);
    } catch (error) {
      if (signal.aborted) return;
      if (keep && isExpected(error)) note(`${peer} failed: ${describeFailure(error).message}`);
      else fault = { error };
    }
    if (!keep || fault !== undefined) enough.abort();
  });
  note(`listening on ${formatEndpoint(server.endpoint)}`);
  await server.finished;
  if (fault !== undefined) throw fault.error;
}

async function listenForMany(
  endpoint: SocketEndpoint,
  input: Input,
  tls: TlsEnds | undefined,
): Promise<void> {
  const output = new Output();
  using stop = stopOnSignals();
  const listener = await open(endpoint);
  stop.signal.addEventListener("abort", () => listener.close());
  try {
    for await (const [conn, address] of listener.socket) {
      let channel: Channel | undefined;
      const close = (): void => channel?.close();
      stop.signal.addEventListener("abort", close);
      const peer = describePeer(conn, address);
      note(`${peer} connected`);
      try {
        channel = await acceptChannel(conn, endpoint, tls, stop.signal);
        await converse(stdioChannel(input, output), channel, { until: "peer" });
        if (!stop.signal.aborted) note(`${peer} ended`);
      } catch (error) {
        if (stop.signal.aborted) return;
        // One peer's failure is not the next one's.
        if (!isExpected(error)) throw error;
        note(`${peer} failed: ${describeFailure(error).message}`);
      } finally {
        stop.signal.removeEventListener("abort", close);
      }
    }
  } finally {
    listener.close();
  }
}
