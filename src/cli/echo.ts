// `berkeley echo [URL…]`: the echo service on the command line.

import type { Command } from "commander";
import { serveEcho } from "./echo-server.ts";
import { parseEndpoint } from "./endpoint.ts";
import { addServingOptions, parseCount } from "./serving.ts";
import type { ServingOptions } from "./serving.ts";
import { Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";
import { addTlsOptions, prepareTls } from "./tls-options.ts";
import type { TlsFlags } from "./tls-options.ts";

/** Where the command, `npm start` and the first tutorial program listen. */
export const ECHO_URL_DEFAULT = "tcp://127.0.0.1:8888";

interface Options extends ServingOptions, TlsFlags {
  readonly workers?: number;
}

/** Adds the subcommand to the program. */
export function addEcho(program: Command): void {
  const command = program
    .command("echo")
    .description("send everything back that arrives, and print who connected and what arrived, until Ctrl-C")
    .argument("[URL...]", "where to listen; port 0 lets the system pick one", [ECHO_URL_DEFAULT])
    .option(
      "--workers <number>",
      "serve streams in so many threads, each with --max-connections peers at once",
      parseCount("--workers"),
    );
  addTlsOptions(addServingOptions(command), { connects: false, listens: true });
  command.action(async (urls: string[], { workers, ...serving }: Options) => {
    const endpoints = urls.map(parseEndpoint);
    const tls = await prepareTls(serving, { listening: endpoints });
    using stop = stopOnSignals();
    const { signal } = stop;
    if (workers !== undefined) {
      const { serveEchoWorkers } = await import("./echo-workers.ts");
      return await serveEchoWorkers(endpoints, workers, serving, signal);
    }
    const output = new Output();
    await serveEcho(endpoints, { print: (line) => output.write(`${line}\n`), signal, serving, tls });
  });
}
