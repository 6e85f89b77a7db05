// `berkeley relay A B`: two endpoints of any kinds, and what comes from one goes to the other, both ways.

import type { Command } from "commander";
import { stdioChannel } from "./channel.ts";
import type { Channel } from "./channel.ts";
import { connectChannel } from "./connections.ts";
import { converse } from "./converse.ts";
import { isWebSocket, parseEndpoint, parsePeer, UsageError } from "./endpoint.ts";
import type { Endpoint } from "./endpoint.ts";
import { listenForOne, listenForWebSockets } from "./listen.ts";
import { serveRelay } from "./relay-server.ts";
import { parseSeconds } from "./seconds.ts";
import { Input, note, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";
import type { TlsEnds } from "./tls-ends.ts";
import { addTlsOptions, prepareTls } from "./tls-options.ts";
import type { TlsFlags } from "./tls-options.ts";
import type { Texts } from "./websocket.ts";

/** One side of a relay as it is written: `-`, `listen:URL`, `URL`. */
type Side = { readonly role: "stdio" } | { readonly role: "listen" | "connect"; readonly endpoint: Endpoint };

interface Options extends TlsFlags {
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
  berkeley relay - tcp://localhost:25
  berkeley relay --cert web.pem --key web.key listen:tls://:443 tcp://localhost:8080
  berkeley relay listen:tcp://localhost:8080 tls://example.org:443
  berkeley relay listen:ws://127.0.0.1:8080/mail tcp://localhost:25
Where both sides are tls:// or wss://, --cert and --key are for the listening one, --ca for the other.
Over WebSocket bytes go as binary messages; from standard input as text, where they are.`;

/** Adds the subcommand to the program. */
export function addRelay(program: Command): void {
  const command = program
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
      "with datagrams and WebSockets, end when the other side has ended and nothing has come for so long",
      parseSeconds("--quiet"),
      1,
    )
    .option(
      "-i, --idle <seconds>",
      "forget a sender of datagrams that has been silent for so long, and was sent nothing",
      parseSeconds("--idle"),
      IDLE_SECONDS_DEFAULT,
    )
    .addHelpText("after", HELP);
  addTlsOptions(command, { connects: true, listens: true }).action(
    async (a: string, b: string, options: Options) => {
      const sides = [parseSide(a), parseSide(b)] as const;
      const endpoints = (wanted: Side["role"]): Endpoint[] =>
        sides.flatMap((side) => (side.role === wanted && side.role !== "stdio" ? [side.endpoint] : []));
      const ends = { listening: endpoints("listen"), connecting: endpoints("connect") };
      await relay(...sides, options, await prepareTls(options, ends));
    },
  );
}

function parseSide(text: string): Side {
  if (text === "-") return { role: "stdio" };
  return text.startsWith(LISTEN_PREFIX)
    ? { role: "listen", endpoint: parseEndpoint(text.slice(LISTEN_PREFIX.length)) }
    : { role: "connect", endpoint: parsePeer(text) };
}

async function relay(a: Side, b: Side, options: Options, tls: TlsEnds | undefined): Promise<void> {
  const quietMs = options.quiet * 1000;
  if (a.role === "listen" && b.role === "listen")
    throw new UsageError("both sides listen: one of them connects, or is -");
  if (a.role === "stdio" && b.role === "stdio")
    throw new UsageError("both sides are standard input and output");
  if (b.role === "listen") return await relay(b, a, options, tls);
  if (a.role !== "listen") return await relayOnce(a, b, options, tls);
  if (b.role === "stdio") {
    using input = new Input();
    if (isWebSocket(a.endpoint)) return await listenForWebSockets(a.endpoint, input, quietMs, false, tls);
    return await listenForOne(a.endpoint, input, quietMs, tls);
  }
  using stop = stopOnSignals();
  await serveRelay(a.endpoint, b.endpoint, {
    report: note,
    signal: stop.signal,
    timeout: options.timeout,
    quietMs,
    idleMs: options.idle * 1000,
    tls,
  });
}

async function relayOnce(a: Side, b: Side, options: Options, tls: TlsEnds | undefined): Promise<void> {
  const texts = a.role === "stdio" || b.role === "stdio" ? "utf8" : "never";
  const near = await openSide(a, options, tls, texts);
  try {
    await converse(near, await openSide(b, options, tls, texts), { quietMs: options.quiet * 1000 });
  } finally {
    near.close();
  }
}

async function openSide(
  side: Side,
  options: Options,
  tls: TlsEnds | undefined,
  texts: Texts,
): Promise<Channel> {
  if (side.role === "stdio") {
    const input = new Input();
    return { ...stdioChannel(input, new Output()), close: () => input.close() };
  }
  return await connectChannel(side.endpoint, options, tls, texts);
}
