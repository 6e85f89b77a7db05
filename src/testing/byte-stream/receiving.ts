// What receiveSome promises: order, sizes, the end, that an abort loses nothing, whose the memory is.

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import {
  assertBytes,
  codeOf,
  pattern,
  quiet,
  receiveAll,
  receiveExactly,
  rejection,
  settles,
} from "./support.ts";
import type { Check } from "./support.ts";

/** How often an abort is let race with bytes that arrive. */
const RACES = 100;

export const receiving: Readonly<Record<string, Check>> = {
  "receiveSome() waits for the first byte and resolves with what came": async ([tested, peer]) => {
    const waiting = tested.receiveSome();
    assert.equal(await settles(waiting), false, "nothing was sent yet");
    const sent = quiet(peer.sendAll("hello"));
    const first = await waiting;
    assert.ok(first.length > 0);
    const rest = await receiveExactly(tested, "hello".length - first.length);
    await sent;
    assert.equal(Buffer.concat([first, rest]).toString(), "hello");
  },

  "receiveSome() resolves with a Buffer": async ([tested, peer]) => {
    const sent = quiet(peer.sendAll("x"));
    assert.ok(Buffer.isBuffer(await tested.receiveSome()));
    await sent;
  },

  "receiveSome(bytesMax) brings at most so many bytes and leaves the rest": async ([tested, peer]) => {
    const sent = quiet(peer.sendAll(pattern(100)));
    const first = await tested.receiveSome(1);
    assert.equal(first.length, 1);
    const second = await tested.receiveSome(7);
    assert.ok(second.length >= 1 && second.length <= 7);
    const rest = await receiveExactly(tested, 99 - second.length);
    assertBytes(Buffer.concat([first, second, rest]), pattern(100), "what was received");
    await sent;
  },

  "receiveSome() refuses a size that is no whole number of 1 or more": async ([tested, peer]) => {
    for (const size of [0, -1, 1.5, Number.NaN, Infinity])
      assert.equal(await codeOf(tested.receiveSome(size), `receiveSome(${size})`), "ERR_OUT_OF_RANGE");
    const wrong = tested.receiveSome("1" as unknown as number);
    assert.equal(await codeOf(wrong, "receiveSome(a string)"), "ERR_INVALID_ARG_TYPE");
    const sent = quiet(peer.sendAll("x"));
    assert.equal((await tested.receiveSome()).toString(), "x");
    await sent;
  },

  "receiveSome() calls settle in the order in which they were made": async ([tested, peer]) => {
    const order: number[] = [];
    const waiting = Array.from({ length: 8 }, async (_, index) => {
      const bytes = await tested.receiveSome(1);
      order.push(index);
      return bytes.toString();
    });
    const sent = quiet(peer.sendAll("abcdefgh"));
    assert.deepEqual(await Promise.all(waiting), "abcdefgh".split(""));
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7]);
    await sent;
  },

  "receiveSome() resolves empty at the end, every time": async ([tested, peer]) => {
    const waiting = tested.receiveSome();
    await peer.closeWrite();
    for (const end of [await waiting, await tested.receiveSome(), await tested.receiveSome(1)])
      assert.equal(end.length, 0);
  },

  "receiveSome() resolves empty for all that wait when the end comes": async ([tested, peer]) => {
    const waiting = [tested.receiveSome(), tested.receiveSome(), tested.receiveSome()];
    await peer.closeWrite();
    assert.deepEqual(
      (await Promise.all(waiting)).map(({ length }) => length),
      [0, 0, 0],
    );
  },

  "receiveSome() gives everything that came before the end": async ([tested, peer]) => {
    const sends = [quiet(peer.sendAll(pattern(10_000))), quiet(peer.closeWrite())];
    assertBytes(await receiveAll(tested), pattern(10_000), "what was received");
    await Promise.all(sends);
  },

  "receiveSome() rejects with the reason of a signal that is aborted already, and takes nothing": async ([
    tested,
    peer,
  ]) => {
    const sent = quiet(peer.sendAll("kept"));
    const reason = new Error("not now");
    const error = await rejection(tested.receiveSome(4, { signal: AbortSignal.abort(reason) }), "it");
    assert.equal(error, reason);
    assert.equal((await receiveExactly(tested, 4)).toString(), "kept");
    await sent;
  },

  "receiveSome() rejects with the signal's reason when it is aborted while it waits": async ([
    tested,
    peer,
  ]) => {
    const stop = new AbortController();
    const waiting = quiet(tested.receiveSome(undefined, { signal: stop.signal }));
    const behind = tested.receiveSome(1);
    assert.equal(await settles(waiting), false);
    const reason = new Error("enough");
    stop.abort(reason);
    assert.equal(await rejection(waiting, "the aborted call"), reason);
    const sent = quiet(peer.sendAll("xy"));
    assert.equal((await behind).toString(), "x", "the next call gets the first byte");
    assert.equal((await tested.receiveSome()).toString(), "y");
    await sent;
  },

  "receiveSome() loses nothing when an abort races with bytes that arrive": async (
    [tested, peer],
    { random },
  ) => {
    const pieces: Buffer[] = [];
    const sends: Promise<void>[] = [];
    for (let round = 0; round < RACES; round++) {
      const stop = new AbortController();
      const waiting = tested.receiveSome(undefined, { signal: stop.signal }).then(
        (bytes) => pieces.push(bytes),
        (error: unknown) => assert.equal(error, "raced"),
      );
      sends.push(quiet(peer.sendAll(pattern(3, round))));
      for (let turns = random(4); turns > 0; turns--) await (random(2) === 0 ? turn() : undefined);
      stop.abort("raced");
      await waiting;
    }
    sends.push(quiet(peer.closeWrite()));
    pieces.push(await receiveAll(tested));
    await Promise.all(sends);
    const sent = Buffer.concat(Array.from({ length: RACES }, (_, round) => pattern(3, round)));
    assertBytes(Buffer.concat(pieces), sent, "what was received");
  },

  "receiveSome() gives memory that later calls do not write to": async ([tested, peer]) => {
    const given: Buffer[] = [];
    const copies: Buffer[] = [];
    for (let round = 0; round < 20; round++) {
      const size = round % 2 === 0 ? 40 : 9000;
      const sending = peer.sendAll(pattern(size, round));
      for (let left = size; left > 0; ) {
        const piece = await tested.receiveSome(left);
        left -= piece.length;
        given.push(piece);
        copies.push(Buffer.from(piece));
      }
      await sending;
    }
    given.forEach((piece, at) => assertBytes(piece, copies[at] as Buffer, `piece ${at}, looked at again`));
  },

  "receiveSome() gives memory that may be written to": async ([tested, peer]) => {
    const sent = quiet(peer.sendAll(pattern(64)));
    const first = await tested.receiveSome(16);
    const taken = first.length;
    first.fill(0xee);
    assertBytes(await receiveExactly(tested, 64 - taken), pattern(64).subarray(taken), "the rest");
    await sent;
  },
};
