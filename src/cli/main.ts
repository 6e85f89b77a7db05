#!/usr/bin/env node
// The command `berkeley`: reads the command line, runs one subcommand, turns what it threw into a message and an exit
// status. Each subcommand has a file of its own; all messages for failures are in failure.ts.

import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { addCapture } from "./capture.ts";
import { addConnect } from "./connect.ts";
import { addEcho } from "./echo.ts";
import { UsageError } from "./endpoint.ts";
import { describeFailure, EXIT, EXIT_HELP } from "./failure.ts";
import { addHttp } from "./http.ts";
import { addListen } from "./listen.ts";
import { addPing } from "./ping.ts";
import { addPush } from "./push.ts";
import { addRelay } from "./relay.ts";
import { addServe } from "./serve.ts";
import { note, Output } from "./stdio.ts";

const URL_HELP: string = `
URLs:
  tcp://127.0.0.1:8888     a host by number or name, and a port
  tcp://[::1]:8888         an IPv6 address stands in brackets
  tcp4://, tcp6://         one kind of address only, where a name has both
  tls://, tls4://, tls6:// TLS over TCP, likewise; see --ca, --cert, --key of the commands
  tcp://:8888              every address of this machine (to connect: this machine)
  udp://, udp4://, udp6:// datagrams, likewise
  unix:///run/app.sock     a Unix stream socket by its path, taken as it is written
  unix-dgram://PATH        Unix datagrams
  unix-seqpacket://PATH    Unix packets: messages on a connection
  abstract://NAME, abstract-dgram://NAME, abstract-seqpacket://NAME
                           the same in Linux's abstract namespace, where names are no paths
  ws://HOST:PORT/PATH      a WebSocket; port 80 if none is named
  wss://HOST:PORT/PATH     one over TLS; port 443 if none is named
  In those without a host the slashes may be left out: unix:PATH, abstract:NAME.

Datagrams: each read of input, cut at 8192 bytes, is one datagram, and each one received
is written as it is. They have no end: see --quiet of the commands. WebSockets carry messages
likewise, and have an end, but none of one side alone.`;

function version(): string {
  const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Runs the command line; the exit status comes back. */
async function run(argv: readonly string[]): Promise<number> {
  const program = new Command("berkeley");
  let help = "";
  program
    .description("Berkeley sockets on the command line.")
    .version(version(), "-V, --version", "print the version")
    .helpOption("-h, --help", "print help")
    .addHelpText("after", URL_HELP + "\n" + EXIT_HELP)
    .configureOutput({
      writeOut: (text) => (help += text),
      outputError: (text, write) => write(text.replace(/^error: /, "berkeley: ")),
    })
    .exitOverride();
  addEcho(program);
  addConnect(program);
  addListen(program);
  addRelay(program);
  addPing(program);
  addCapture(program);
  addServe(program);
  addPush(program);
  addHttp(program);
  try {
    await program.parseAsync(argv).catch((error: unknown) => {
      if (!(error instanceof CommanderError)) throw error;
      if (error.exitCode !== 0) throw new UsageError(""); // commander has printed its message
    });
    if (help !== "") await new Output().write(help);
    return EXIT.OK;
  } catch (error) {
    const { message, exitCode } = describeFailure(error);
    if (message !== "") note(message);
    return exitCode;
  }
}

// Nobody left to read messages is no reason to end.
process.stderr.on("error", () => {});
process.exitCode = await run(process.argv);
