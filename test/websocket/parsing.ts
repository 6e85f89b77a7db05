// Runs a parser over bytes that arrive in pieces, and tells what came of it in a form that can be compared.

import { WebSocketParser } from "berkeley/websocket";
import type { WebSocketEvent, WebSocketParserOptions } from "berkeley/websocket";
import { NEED_DATA, ProtocolError } from "berkeley/wire";

/** What is told of an event; bytes in hexadecimal. */
export type Told = Readonly<Record<string, unknown>> & { readonly type: string };

/** What came of some bytes. */
export interface Outcome {
  readonly told: Told[];
  /** What the parser refused; undefined: it did not. */
  readonly error: ProtocolError | undefined;
}

function tell(event: WebSocketEvent): Told {
  return "bytes" in event ? { ...event, bytes: event.bytes.toString("hex") } : { ...event };
}

/**
 * Gives copies of the pieces to a parser, one after another, and asks it after each.
 *
 * @param ends  whether the peer ends behind them.
 */
export function parse(
  pieces: Iterable<Uint8Array>,
  options: WebSocketParserOptions = { from: "client" },
  ends: boolean = false,
): Outcome {
  const parser = new WebSocketParser(options);
  const told: Told[] = [];
  const drain = (): void => {
    for (;;) {
      const event = parser.next();
      if (event === NEED_DATA) return;
      told.push(tell(event));
      if (event.type === "closed") return;
    }
  };
  try {
    for (const piece of pieces) {
      parser.receive(Buffer.from(piece));
      drain();
    }
    if (ends) {
      parser.receiveEnd();
      drain();
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { told, error };
  }
  return { told, error: undefined };
}
