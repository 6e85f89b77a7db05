// `berkeley relay A B`: two endpoints of any kinds, and what comes from one goes to the other, both ways.

import type { Command } from "commander";
import { socketChannel, stdioChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { converse } from "./converse.ts";
import { parseEndpoint, parsePeer, UsageError } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { listenForOne } from "./listen.ts";
import { connectTo } from "./open.ts";
import { serveRelay } from "./relay-server.ts";
import { parseSeconds } from "./seconds.ts";
import { Input, note, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";

/** One side of a relay as it is written: `-`, `listen:URL`, `URL`. */
type Side = { readonly role: "stdio" } | { readonly role: "listen" | "connect"; readonly endpoint: Endpoint };

interface Options {
  readonly timeout?: number;
  readonly quiet: number;
  readonly idle: number;
}

const LISTEN_PREFIX = "listen:";
/** RFC 4787 REQ-5: who carries datagrams forgets nobody sooner. */
const IDLE_SECONDS_DEFAULT = 120;

const HELP = `
A and B:
  URL          connect there
  listen:URL   listen there; each peer gets a connection of its own to the other side
  -            standard input and output, with one peer of the other side

Examples:
  berkeley relay listen:tcp://:8080 unix:///run/app.sock
  berkeley relay listen:unix-dgram:///run/log udp://logs.example:514
  berkeley relay - tcp://localhost:25`;

/** Adds the subcommand to the program. */
export function addRelay(program: Command): void {
  program
    .command("relay")
    .description("carry what comes from one side to the other, both ways")
    .argument("<A>", "one side")
    .argument("<B>", "the other side")
    .option(
      "-w, --timeout <seconds>",
      "give up connecting after so long, for each address of the name",
      parseSeconds("--timeout"),
    )
    .option(
      "-q, --quiet <seconds>",
      "with datagrams, end when the other side has ended and nothing has come for so long",
      parseSeconds("--quiet"),
      1,
    )
    .option(
      "-i, --idle <seconds>",
      "forget a sender of datagrams that has been silent for so long, and was sent nothing",
      parseSeconds("--idle"),
      IDLE_SECONDS_DEFAULT,
    )
    .addHelpText("after", HELP)
    .action(async (a: string, b: string, options: Options) => {
      await relay(parseSide(a), parseSide(b), options);
    });
}

function parseSide(text: string): Side {
  if (text === "-") return { role: "stdio" };
  return text.startsWith(LISTEN_PREFIX)
    ? { role: "listen", endpoint: parseEndpoint(text.slice(LISTEN_PREFIX.length)) }
    : { role: "connect", endpoint: parsePeer(text) };
}

async function relay(a: Side, b: Side, options: Options): Promise<void> {
  const quietMs = options.quiet * 1000;
  if (a.role === "listen" && b.role === "listen")
    throw new UsageError("both sides listen: one of them connects, or is -");
  if (a.role === "stdio" && b.role === "stdio")
    throw new UsageError("both sides are standard input and output");
  if (b.role === "listen") return await relay(b, a, options);
  if (a.role !== "listen") return await relayOnce(a, b, options);
  if (b.role === "stdio") {
    using input = new Input();
    return await listenForOne(a.endpoint, input, quietMs);
  }
  using stop = stopOnSignals();
  await serveRelay(a.endpoint, b.endpoint, {
    report: note,
    signal: stop.signal,
    timeout: options.timeout,
    quietMs,
    idleMs: options.idle * 1000,
  });
}

async function relayOnce(a: Side, b: Side, options: Options): Promise<void> {
  const near = await openSide(a, options);
  try {
    await converse(near, await openSide(b, options), { quietMs: options.quiet * 1000 });
  } finally {
    near.close();
  }
}

async function openSide(side: Side, options: Options): Promise<Channel> {
  if (side.role === "stdio") {
    const input = new Input();
    return { ...stdioChannel(input, new Output()), close: () => input.close() };
  }
  const { socket, close } = await connectTo(side.endpoint, options);
  return socketChannel(socket, close);
}
