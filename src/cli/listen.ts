// `berkeley listen URL`: the other end of `berkeley connect`. One peer; with --keep many, one after another.

import type { Command } from "commander";
import type { AnyAddress } from "../index.ts";
import { MESSAGE_BYTES_MAX, peerChannel, socketChannel, stdioChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { converse } from "./converse.ts";
import { formatEndpoint, isDatagram, parseEndpoint, UsageError } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { describeFailure, isExpected } from "./failure.ts";
import { listenOn } from "./open.ts";
import type { Opened } from "./open.ts";
import { describePeer, describeSender, isNameless } from "./peer.ts";
import { parseSeconds } from "./seconds.ts";
import { Input, note, notePeerEnded, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";

/** Adds the subcommand to the program. */
export function addListen(program: Command): void {
  program
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
      "with datagrams, end when input has ended and nothing has come for so long (default: never)",
      parseSeconds("--quiet"),
    )
    .action(async (url: string, options: { keep: boolean; quiet?: number }) => {
      const endpoint = parseEndpoint(url);
      if (options.keep && isDatagram(endpoint))
        throw new UsageError(
          "--keep is for connections: datagrams have no end after which the next peer comes",
        );
      using input = new Input();
      await (options.keep
        ? listenForMany(endpoint, input)
        : listenForOne(endpoint, input, (options.quiet ?? Infinity) * 1000));
    });
}

async function open(endpoint: Endpoint): Promise<Opened> {
  const listener = await listenOn(endpoint);
  note(`listening on ${formatEndpoint(listener.endpoint)}`);
  return listener;
}

/** Takes one peer, and carries between it and the input and the standard output. */
export async function listenForOne(endpoint: Endpoint, input: Input, quietMs: number): Promise<void> {
  const listener = await open(endpoint);
  const peer = await (isDatagram(endpoint) ? firstSender(listener) : firstConnection(listener));
  await converse(stdioChannel(input, new Output()), peer, {
    peerEnded: () => notePeerEnded(input),
    quietMs,
  });
}

async function firstConnection(listener: Opened): Promise<Channel> {
  const [conn, address] = await listener.socket.accept<AnyAddress>().finally(() => listener.close());
  note(`${describePeer(conn, address)} connected`);
  return socketChannel(conn);
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

async function listenForMany(endpoint: Endpoint, input: Input): Promise<void> {
  const output = new Output();
  using stop = stopOnSignals();
  const listener = await open(endpoint);
  stop.signal.addEventListener("abort", () => listener.close());
  try {
    for await (const [conn, address] of listener.socket) {
      const close = (): void => conn.close();
      stop.signal.addEventListener("abort", close);
      const peer = describePeer(conn, address);
      note(`${peer} connected`);
      try {
        await converse(stdioChannel(input, output), socketChannel(conn), { until: "peer" });
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
