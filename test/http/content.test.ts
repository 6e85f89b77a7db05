// What a content holds while all of it is collected.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Content } from "berkeley/http";
import type { BodyFraming } from "berkeley/http";
import { grownBy } from "../support/memory.ts";

/** Pieces that each lie in a receive of their own. */
class Dripping extends Content {
  readonly body: BodyFraming = "chunked";
  readonly #pieceBytes: number;
  #left: number;
  #before = 0;
  /** By how much memory has grown when all pieces but the last were given. */
  grown = 0;

  constructor(pieceBytes: number, count: number) {
    super();
    this.#pieceBytes = pieceBytes;
    this.#left = count;
    this.#before = process.memoryUsage().arrayBuffers;
  }

  async read(): Promise<Buffer | undefined> {
    if (this.#left === 0) {
      this.grown = await grownBy(this.#before, 4_000_000);
      return undefined;
    }
    this.#left--;
    return Buffer.alloc(65_536, this.#left).subarray(100, 100 + this.#pieceBytes);
  }
}

for (const pieceBytes of [1, 2000])
  test(`Content.bytes() holds no receive alive for ${pieceBytes} bytes of it`, async () => {
    const content = new Dripping(pieceBytes, 1000);
    const bytes = await content.bytes(10_000_000);
    assert.equal(bytes.length, 1000 * pieceBytes);
    for (let piece = 0; piece < 1000; piece++)
      assert.equal(bytes[piece * pieceBytes], (999 - piece) & 0xff, `piece ${piece}`);
    assert.ok(content.grown < 8_000_000, `${content.grown} bytes`);
  });
