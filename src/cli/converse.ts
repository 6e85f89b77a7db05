// Two channels that talk: what one receives the other sends, both ways at once, each direction at its reader's pace, each
// end passed on as an end. It opens nothing, prints nothing, and knows no kind of channel but by what it says of itself.
// Bytes between two stream sockets do not come by here: the kernel carries them.

import { relay, SocketError } from "../index.ts";
import { piecesFor } from "./channel.ts";
import type { Channel } from "./channel.ts";

/** How a conversation ends. */
export interface ConverseOptions {
  /**
   * "both" (default): when both sides have ended. "peer": when the far side has ended, after what the near one had said
   * by then has been sent; the near one stays for the next conversation.
   */
  readonly until?: "both" | "peer";
  /** Told when the far side has ended and the near one goes on. */
  readonly peerEnded?: () => void;
  /**
   * Datagrams have no end, and a WebSocket none of one side alone. When one side has ended and the other cannot, it is over
   * when nothing has come for so many milliseconds. Infinity waits for ever.
   */
  readonly quietMs?: number;
  /** Over when neither side has said anything for so many milliseconds. Default Infinity. */
  readonly idleMs?: number;
}

/** An answer of a server on another continent, and a slow one, comes in less. */
const QUIET_MS_DEFAULT = 1000;

/**
 * Carries data until the conversation is over, then closes both.
 *
 * @throws {SocketError} one side broke; what it had said before was sent to the other.
 * @throws {OutputClosedError} the reader of the output has gone. @throws the system's error when input cannot be read.
 */
export async function converse(near: Channel, far: Channel, options: ConverseOptions = {}): Promise<void> {
  if (near.stream === undefined || far.stream === undefined) {
    const conversation = new Conversation(near, far, options);
    await conversation.run();
    return;
  }
  try {
    await relay(near.stream, far.stream);
  } finally {
    far.close();
    near.close();
  }
}

class Conversation {
  readonly #near: Channel;
  readonly #far: Channel;
  readonly #options: ConverseOptions;
  readonly #stop = new AbortController();
  #failure: { readonly error: unknown } | undefined;
  /** Both are closed: what fails now fails because of it. */
  #closed = false;
  /** Directions that wait for a reader: the silence is not the other's. */
  #sending = 0;
  /** When the silence has been long enough. */
  #timer: NodeJS.Timeout | undefined;

  constructor(near: Channel, far: Channel, options: ConverseOptions) {
    this.#near = near;
    this.#far = far;
    this.#options = options;
  }

  async run(): Promise<void> {
    this.#limitSilence(this.#options.idleMs ?? Infinity);
    try {
      await Promise.all([this.#carry(this.#near, this.#far), this.#carry(this.#far, this.#near)]);
    } finally {
      clearTimeout(this.#timer);
      this.#end();
    }
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** One direction, to its end. Of several failures the first is kept: the others are its consequences. */
  async #carry(from: Channel, to: Channel): Promise<void> {
    let sending = false;
    try {
      for (;;) {
        sending = false;
        const data = await from.receive(this.#stop.signal);
        if (data === undefined) break;
        sending = true;
        await this.#send(piecesFor(from, to, data), to);
      }
      if (!this.#stop.signal.aborted) this.#pass(from, to);
    } catch (error) {
      if (this.#closed) return;
      this.#failure ??= { error };
      // Who takes no more may have more to say, and ends that direction by itself. All other failures end both.
      if (!(sending && error instanceof SocketError)) this.#end();
    }
  }

  async #send(pieces: readonly Uint8Array[], to: Channel): Promise<void> {
    this.#sending++;
    try {
      for (const piece of pieces) await to.send(piece);
    } finally {
      this.#sending--;
      this.#timer?.refresh();
    }
  }

  /** Passes on that one side has ended. */
  #pass(from: Channel, to: Channel): void {
    if (from === this.#far && this.#options.until === "peer") {
      this.#stop.abort();
      return;
    }
    if (to.kind === "datagrams" || to.kind === "messages")
      this.#limitSilence(this.#options.quietMs ?? QUIET_MS_DEFAULT);
    else to.end();
    if (from === this.#far) this.#options.peerEnded?.();
  }

  #limitSilence(ms: number): void {
    clearTimeout(this.#timer);
    if (ms === Infinity) return;
    this.#timer = setTimeout(() => {
      if (this.#sending > 0) this.#limitSilence(ms);
      else this.#end();
    }, ms);
  }

  #end(): void {
    this.#closed = true;
    this.#stop.abort();
    this.#far.close();
    this.#near.close();
  }
}
