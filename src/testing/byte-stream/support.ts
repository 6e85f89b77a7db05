// What the checks of streams are made of: bytes that tell where they stand, waiting without sleeping, what a promise
// rejected with. It knows streams by their interface and no test runner.

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import type { ByteStream } from "../../stream/byte-stream.ts";

/** Both ends of one connection: the one under test and its peer, which must keep the same promises as far as they go. */
export type StreamPair = readonly [tested: ByteStream, peer: ByteStream];

/** What the checks are given besides a way to make a pair. */
export interface Conditions {
  readonly bufferedBytesMax: number;
  readonly transferBytes: number;
  readonly random: (below: number) => number;
}

/** A promise of the interface, to be put to a fresh pair. */
export type Check = (pair: StreamPair, conditions: Conditions) => Promise<void>;

/** Turns of the event loop in which something that can settle has settled; more only make a check slower. */
const TURNS = 20;

/** Whole numbers from 0 to below `below`, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Bytes that tell where they stand, so that one lost, doubled or moved is seen. */
export function pattern(length: number, seed: number = 0): Buffer {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >>> 8) * 7 + (at >>> 16) + seed) & 255;
  return bytes;
}

/** Fails at the first byte that is not as it should be, without printing megabytes. */
export function assertBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  assert.equal(actual.length, expected.length, `${what}: its length`);
  const same = Buffer.compare(actual, expected) === 0;
  const at = same ? -1 : actual.findIndex((byte, index) => byte !== expected[index]);
  assert.ok(same, `${what}: byte ${at} is ${actual[at]}, not ${expected[at]}`);
}

/** Exactly so many bytes. */
export async function receiveExactly(stream: ByteStream, count: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let left = count; left > 0; ) {
    const piece = await stream.receiveSome(left);
    assert.ok(piece.length > 0, `the stream ended ${left} bytes too early`);
    assert.ok(piece.length <= left, `receiveSome(${left}) gave ${piece.length} bytes`);
    pieces.push(piece);
    left -= piece.length;
  }
  return Buffer.concat(pieces);
}

/** Everything until the end. */
export async function receiveAll(stream: ByteStream): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (;;) {
    const piece = await stream.receiveSome();
    if (piece.length === 0) return Buffer.concat(pieces);
    pieces.push(piece);
  }
}

/** Whether a promise settles within a few turns of the loop. */
export async function settles(promise: Promise<unknown>): Promise<boolean> {
  const state = { settled: false };
  const settle = (): void => {
    state.settled = true;
  };
  promise.then(settle, settle);
  for (let turns = 0; turns < TURNS && !state.settled; turns++) await turn();
  return state.settled;
}

/** What a promise rejected with; fails when it resolved. */
export async function rejection(promise: Promise<unknown>, what: string): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  return assert.fail(`${what} resolved with ${String(value)}`);
}

/** The `code` of what a promise rejected with; fails when it resolved. */
export async function codeOf(promise: Promise<unknown>, what: string): Promise<unknown> {
  const error = await rejection(promise, what);
  assert.ok(error instanceof Error, `${what} rejected with no Error`);
  return (error as { readonly code?: unknown }).code;
}

/** For promises that are settled later: no rejection of theirs is unhandled meanwhile. */
export function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
