// What a thread of the echo service does with a connection. Its argument is the list of trusted proxies in JSON, or null.

import type { Handler } from "../server/connection.ts";
import type { SocketStream } from "../stream/index.ts";
import { streamChannel } from "./channel.ts";
import { echoBack } from "./echo-conversation.ts";
import { describePeer } from "./peer.ts";
import { servingHandler, tellRefusals } from "./serving.ts";

const trusted = (JSON.parse(process.argv[2] ?? "null") as readonly string[] | null) ?? undefined;

/** To the main thread, which writes it out. */
function print(line: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${line}\n`, () => resolve()));
}

const echo: Handler<SocketStream> = async (stream, { accepted, stopping }) => {
  const peer = describePeer(accepted.socket, stream.remoteAddress ?? "");
  await echoBack(streamChannel(stream), { peer, print, signal: stopping });
};

const handler: Handler<SocketStream> = tellRefusals(servingHandler(echo, trusted), print);
export default handler;
