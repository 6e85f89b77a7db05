// Runs a parser over bytes that arrive in pieces, and tells what came of it in a form that can be compared: data joined,
// fields as pairs.

import { PAUSED, RequestParser, ResponseParser } from "berkeley/http";
import type { HttpLimits, RequestEvent, ResponseEvent } from "berkeley/http";
import { NEED_DATA, ProtocolError } from "berkeley/wire";

/** What is told of an event. */
export type Told = Readonly<Record<string, unknown>> & { readonly type: string };

/** What came of some bytes. */
export interface Outcome {
  readonly events: Told[];
  /** What the parser refused; undefined: it did not. */
  readonly error: ProtocolError | undefined;
  /** Whether it was waiting for more when the bytes were over. */
  readonly waits: boolean;
}

function told(event: RequestEvent | ResponseEvent): Told {
  switch (event.type) {
    case "data":
      return { type: "data", text: event.bytes.toString("latin1") };
    case "end":
      return { type: "end", trailers: [...event.trailers] };
    case "closed":
      return { type: "closed" };
    case "request":
    case "response":
    case "informational":
      return { ...event, fields: [...event.fields] };
  }
}

interface Parser {
  receive(bytes: Uint8Array): void;
  receiveEnd(): void;
  next(): RequestEvent | ResponseEvent | typeof NEED_DATA | typeof PAUSED;
}

/**
 * Gives the pieces to the parser, one after another, and asks it after each.
 *
 * @param ends  whether the peer ends behind them.
 */
export function run(parser: Parser, pieces: Iterable<Uint8Array>, ends: boolean): Outcome {
  const events: Told[] = [];
  let waits = false;
  /** @returns whether it wants more. */
  const drain = (): boolean => {
    for (;;) {
      const event = parser.next();
      waits = event === NEED_DATA;
      if (event === NEED_DATA || event === PAUSED) return true;
      const next = told(event);
      const last = events.at(-1);
      if (next.type === "data" && last?.type === "data")
        events[events.length - 1] = { type: "data", text: `${String(last["text"])}${String(next["text"])}` };
      else events.push(next);
      if (next.type === "closed") return false;
    }
  };
  try {
    let open = drain();
    for (const piece of pieces) {
      if (!open) break;
      parser.receive(piece);
      open = drain();
    }
    if (ends && open) {
      parser.receiveEnd();
      drain();
    }
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { events, error, waits: false };
  }
  return { events, error: undefined, waits };
}

/** What a server's parser makes of it. */
export function runRequests(
  pieces: Iterable<Uint8Array>,
  ends: boolean = false,
  limits?: Partial<HttpLimits>,
): Outcome {
  return run(new RequestParser(limits), pieces, ends);
}

/** What a client's parser makes of it, that has sent one request of each method. */
export function runResponses(
  methods: readonly string[],
  pieces: Iterable<Uint8Array>,
  ends: boolean = false,
  limits?: Partial<HttpLimits>,
): Outcome {
  const parser = new ResponseParser(limits);
  for (const method of methods) parser.expect(method);
  return run(parser, pieces, ends);
}

/** Text of which each character is one byte. */
export function latin1(text: string): Buffer {
  return Buffer.from(text, "latin1");
}
