// What a thread of the echo service does with a connection. Its argument is an EchoTask in JSON.

import type { Handler } from "../server/connection.ts";
import type { SocketStream } from "../stream/index.ts";
import { streamChannel } from "./channel.ts";
import { echoBack } from "./echo-conversation.ts";
import type { EchoTask } from "./echo-workers.ts";
import { describePeer } from "./peer.ts";
import { servingHandler, tellRefusals } from "./serving.ts";

const task = JSON.parse(process.argv[2] ?? "{}") as EchoTask;
const { tlsEnds } = task.tls === undefined ? {} : await import("./tls-ends.ts");
const tls = task.tls && tlsEnds?.(task.tls, { connects: false, listens: true });

/** To the main thread, which writes it out. */
function print(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve()));
}

const echo: Handler<SocketStream> = async (stream, { accepted, stopping }) => {
  const peer = describePeer(accepted.socket, stream.remoteAddress ?? "");
  await echoBack(streamChannel(stream), { peer, print, signal: stopping });
};

const handler: Handler<SocketStream> = tellRefusals(servingHandler(echo, task.proxyProtocol, tls), print);
export default handler;
