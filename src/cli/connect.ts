// `berkeley connect URL`: standard input to a peer, the peer to standard output.

import type { Command } from "commander";
import { stdioChannel } from "./channel.ts";
import { converse } from "./converse.ts";
import { parsePeer } from "./endpoint.ts";
import { connectChannel } from "./connections.ts";
import { parseSeconds } from "./seconds.ts";
import { Input, notePeerEnded, Output } from "./stdio.ts";
import { addTlsOptions, prepareTls } from "./tls-options.ts";
import type { TlsFlags } from "./tls-options.ts";

interface Options extends TlsFlags {
  readonly timeout?: number;
  readonly quiet: number;
}

/** Adds the subcommand to the program. */
export function addConnect(program: Command): void {
  const command = program
    .command("connect")
    .description("connect, then send standard input to the peer and write what it sends to standard output")
    .argument("<URL>", "where to connect")
    .option(
      "-w, --timeout <seconds>",
      "give up connecting after so long, for each address of the name",
      parseSeconds("--timeout"),
    )
    .option(
      "-q, --quiet <seconds>",
      "with datagrams and WebSockets, end when input has ended and nothing has come for so long",
      parseSeconds("--quiet"),
      1,
    );
  addTlsOptions(command, { connects: true, listens: false }).action(async (url: string, options: Options) => {
    const endpoint = parsePeer(url);
    const tls = await prepareTls(options, { connecting: [endpoint] });
    const peer = await connectChannel(endpoint, options, tls, "utf8");
    using input = new Input();
    await converse(stdioChannel(input, new Output()), peer, {
      peerEnded: () => notePeerEnded(input),
      quietMs: options.quiet * 1000,
    });
  });
}
