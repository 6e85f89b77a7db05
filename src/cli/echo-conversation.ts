// One conversation of the echo service: what arrives goes back, and every event becomes one line of text. Who the peer is and
// where the lines go it is told.

import type { Channel } from "./channel.ts";
import { describeFailure, isExpected } from "./failure.ts";
import { renderBytes } from "./render.ts";

/** What a conversation needs besides its channel. */
export interface EchoConversation {
  readonly peer: string;
  /** Takes one line. A rejection ends the conversation, and is what echoBack rejects with. */
  readonly print: (line: string) => Promise<void>;
  /** Aborted when the service ends, which is no news of its peers. */
  readonly signal: AbortSignal;
}

/** Echoes until the peer has ended. Failures of the network become a line. */
export async function echoBack(channel: Channel, { peer, print, signal }: EchoConversation): Promise<void> {
  await print(`${peer} connected`);
  let total = 0;
  try {
    for (;;) {
      const data = await channel.receive(signal);
      if (data === undefined) break;
      total += data.length;
      await print(`${peer} sent ${countOf(data.length)}: ${renderBytes(data)}`);
      await channel.send(data);
    }
  } catch (error) {
    if (signal.aborted) return;
    if (!isExpected(error)) throw error;
    await print(`${peer} failed after ${countOf(total)}: ${describeFailure(error).message}`);
    return;
  }
  if (!signal.aborted) await print(`${peer} ended after ${countOf(total)}`);
}

/** "1 byte", "2 bytes". */
export function countOf(bytes: number): string {
  return bytes === 1 ? "1 byte" : `${bytes} bytes`;
}
