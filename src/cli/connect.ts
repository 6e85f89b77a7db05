// `berkeley connect URL`: standard input to a peer, the peer to standard output.

import type { Command } from "commander";
import { socketChannel, stdioChannel } from "./channel.ts";
import { converse } from "./converse.ts";
import { parsePeer } from "./endpoint.ts";
import { connectTo } from "./open.ts";
import { parseSeconds } from "./seconds.ts";
import { Input, notePeerEnded, Output } from "./stdio.ts";

/** Adds the subcommand to the program. */
export function addConnect(program: Command): void {
  program
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
      "with datagrams, end when input has ended and nothing has come for so long",
      parseSeconds("--quiet"),
      1,
    )
    .action(async (url: string, options: { timeout?: number; quiet: number }) => {
      const endpoint = parsePeer(url);
      const { socket, close } = await connectTo(endpoint, options);
      using input = new Input();
      await converse(stdioChannel(input, new Output()), socketChannel(socket, close), {
        peerEnded: () => notePeerEnded(input),
        quietMs: options.quiet * 1000,
      });
    });
}
