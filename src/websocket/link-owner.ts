// What a connection is made of, what is known of its end, and whom it tells. Types only.

import type { ByteStream } from "../stream/index.ts";
import type { Deflate } from "./compression.ts";
import type { CheckedOptions } from "./options.ts";

/** What is sent and received: text, or bytes. */
export type WebSocketMessage = string | Buffer;

/** How a connection ended. */
export interface CloseInfo {
  /** The peer's code; 1005: its Close had none; 1006: there was no Close. */
  readonly code: number;
  readonly reason: string;
  /** The peer has sent its Close, so that nothing is missing. */
  readonly isClean: boolean;
}

/** What a connection is made of. */
export interface LinkInit {
  readonly stream: ByteStream;
  readonly role: "client" | "server";
  readonly options: CheckedOptions;
  readonly protocol: string | undefined;
  readonly deflate: Deflate | undefined;
}

/** Who takes what comes. */
export interface LinkOwner {
  /** Nothing more may be taken now; who says so calls read() later. */
  readonly isHeld: boolean;
  /** Messages are asked for, one at a time. */
  readonly pulls: boolean;
  message(message: WebSocketMessage): void;
  /** No more messages come. Told at least once. */
  ended(): void;
  /** The connection is gone. Told once, before those whom onOver() has. */
  over(): void;
}
