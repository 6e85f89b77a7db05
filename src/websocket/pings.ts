// Pings of one connection that wait for their pongs. It sends nothing.

/** How a ping is told from the next one. */
const ID_BYTES = 4;

interface Waiting {
  readonly id: number;
  readonly at: number;
  readonly resolve: (ms: number) => void;
  readonly reject: (error: unknown) => void;
}

/** Who waits, the oldest first. */
export class Pings {
  #waiting: Waiting[] = [];
  #last = 0;

  /** A new one: what it is sent with, and milliseconds until its pong. */
  make(): { readonly bytes: Buffer; readonly answered: Promise<number> } {
    const id = (this.#last = (this.#last + 1) >>> 0);
    const bytes = Buffer.alloc(ID_BYTES);
    bytes.writeUInt32BE(id);
    const answered = new Promise<number>((resolve, reject) => {
      this.#waiting.push({ id, at: performance.now(), resolve, reject });
    });
    answered.catch(() => {});
    return { bytes, answered };
  }

  /** A pong has come. It answers its ping and those before it: a peer may answer the last one alone (RFC 6455 section 5.5.3). */
  answer(bytes: Buffer): void {
    if (bytes.length !== ID_BYTES) return;
    const index = this.#waiting.findIndex(({ id }) => id === bytes.readUInt32BE(0));
    const now = performance.now();
    for (const { at, resolve } of this.#waiting.splice(0, index + 1)) resolve(now - at);
  }

  /** None will come. */
  fail(error: unknown): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}
