// `berkeley echo [URL…]`: the echo service on the command line.

import type { Command } from "commander";
import { serveEcho } from "./echo-server.ts";
import { parseEndpoint } from "./endpoint.ts";
import { Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";

/** Where the command, `npm start` and the first tutorial program listen. */
export const ECHO_URL_DEFAULT = "tcp://127.0.0.1:8888";

/** Adds the subcommand to the program. */
export function addEcho(program: Command): void {
  program
    .command("echo")
    .description("send everything back that arrives, and print who connected and what arrived, until Ctrl-C")
    .argument("[URL...]", "where to listen; port 0 lets the system pick one", [ECHO_URL_DEFAULT])
    .action(async (urls: string[]) => {
      const endpoints = urls.map(parseEndpoint);
      const output = new Output();
      using stop = stopOnSignals();
      await serveEcho(endpoints, { print: (line) => output.write(`${line}\n`), signal: stop.signal });
    });
}
