// What sendAll promises: all of it, in order, from memory that is the caller's again; that it waits for who does not
// receive; that both directions go on without each other.

import assert from "node:assert/strict";
import { inspect } from "node:util";
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
import type { ByteStream } from "../../stream/byte-stream.ts";

const CHUNK_BYTES = 262_144;

/** Sends until a send waits; what was sent, that one included. */
async function sendUntilItWaits(
  stream: ByteStream,
  bytesMax: number,
): Promise<{ bytes: number; waiting: Promise<void> }> {
  const chunk = pattern(CHUNK_BYTES);
  for (let bytes = CHUNK_BYTES; bytes <= bytesMax + CHUNK_BYTES; bytes += CHUNK_BYTES) {
    const waiting = quiet(stream.sendAll(chunk));
    if (!(await settles(waiting))) return { bytes, waiting };
    await waiting;
  }
  return assert.fail(`over ${bytesMax} bytes were taken from who sends, and nobody receives them`);
}

/** Receives so many bytes, in pieces of random size at most. */
async function receiveInPieces(
  stream: ByteStream,
  total: number,
  random: (below: number) => number,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for (let left = total; left > 0; ) {
    const piece = await stream.receiveSome(1 + random(random(3) === 0 ? 100 : 200_000));
    assert.ok(piece.length > 0, `the stream ended ${left} bytes too early`);
    pieces.push(piece);
    left -= piece.length;
  }
  return Buffer.concat(pieces);
}

/** Sends all of it in pieces of random size, not waiting for each. */
async function sendInPieces(
  stream: ByteStream,
  bytes: Buffer,
  random: (below: number) => number,
): Promise<void> {
  let sends: Promise<void>[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + 1 + random(random(3) === 0 ? 100 : 300_000));
    sends.push(quiet(stream.sendAll(bytes.subarray(at, end))));
    at = end;
    if (random(4) > 0) continue;
    await Promise.all(sends);
    sends = [];
  }
  await Promise.all(sends);
}

export const sending: Readonly<Record<string, Check>> = {
  "sendAll() sends strings as UTF-8, views of any kind and ArrayBuffers": async ([tested, peer]) => {
    const words = new Uint16Array([0x4142, 0x4344]);
    const data = ["grün ", Buffer.from("a"), new DataView(words.buffer, 1, 2), words.buffer] as const;
    const sends = data.map((each) => quiet(tested.sendAll(each)));
    const raw = Buffer.from(words.buffer);
    const expected = Buffer.concat([Buffer.from("grün a"), raw.subarray(1, 3), raw]);
    assertBytes(await receiveExactly(peer, expected.length), expected, "what arrived");
    await Promise.all(sends);
  },

  "sendAll() refuses what is no data, and sends nothing": async ([tested, peer]) => {
    for (const wrong of [undefined, null, 7, {}, [1]] as unknown[])
      assert.equal(
        await codeOf(tested.sendAll(wrong as string), `sendAll(${inspect(wrong)})`),
        "ERR_INVALID_ARG_TYPE",
      );
    const sent = quiet(tested.sendAll("x"));
    assert.equal((await peer.receiveSome()).toString(), "x");
    await sent;
  },

  "sendAll() of nothing resolves and is no end": async ([tested, peer]) => {
    await tested.sendAll("");
    await tested.sendAll(new Uint8Array(0));
    const waiting = peer.receiveSome();
    assert.equal(await settles(waiting), false, "an empty send was received as something");
    const sent = quiet(tested.sendAll("x"));
    assert.equal((await waiting).toString(), "x");
    await sent;
  },

  "sendAll() calls that are not awaited keep their order": async ([tested, peer]) => {
    const pieces = Array.from({ length: 300 }, (_, index) => pattern(1 + ((index * 37) % 900), index));
    const sends = pieces.map((piece) => quiet(tested.sendAll(piece)));
    const expected = Buffer.concat(pieces);
    assertBytes(await receiveExactly(peer, expected.length), expected, "what arrived");
    await Promise.all(sends);
  },

  "sendAll() gives the memory back when it resolves": async ([tested, peer]) => {
    const memory = Buffer.alloc(1000);
    const receiving = quiet(receiveExactly(peer, 20_000));
    for (let round = 0; round < 20; round++) {
      memory.fill(round);
      await tested.sendAll(memory);
    }
    const received = await receiving;
    const expected = Buffer.concat(Array.from({ length: 20 }, (_, round) => Buffer.alloc(1000, round)));
    assertBytes(received, expected, "what arrived");
  },

  "sendAll() waits when the peer does not receive, and goes on when it does": async (
    [tested, peer],
    { bufferedBytesMax },
  ) => {
    const { bytes, waiting } = await sendUntilItWaits(tested, bufferedBytesMax);
    const chunk = pattern(CHUNK_BYTES);
    for (let done = 0; done < bytes; done += CHUNK_BYTES)
      assertBytes(await receiveExactly(peer, CHUNK_BYTES), chunk, `chunk ${done / CHUNK_BYTES}`);
    await waiting;
  },

  "sendAll() that waits lets receiveSome() go on": async ([tested, peer], { bufferedBytesMax }) => {
    const { waiting } = await sendUntilItWaits(tested, bufferedBytesMax);
    const sent = quiet(peer.sendAll("against the stream"));
    assert.equal((await receiveExactly(tested, 18)).toString(), "against the stream");
    await sent;
    tested.close();
    await waiting.catch(() => undefined);
  },

  "sendAll() rejects with the reason of a signal that is aborted already, and sends nothing": async ([
    tested,
    peer,
  ]) => {
    const reason = new Error("not now");
    const error = await rejection(tested.sendAll("no", { signal: AbortSignal.abort(reason) }), "it");
    assert.equal(error, reason);
    const sent = quiet(tested.sendAll("yes"));
    assert.equal((await receiveExactly(peer, 3)).toString(), "yes");
    await sent;
  },

  "sendAll() rejects with the signal's reason when it is aborted while it waits": async (
    [tested],
    { bufferedBytesMax },
  ) => {
    const { waiting } = await sendUntilItWaits(tested, bufferedBytesMax);
    const stop = new AbortController();
    const aborted = quiet(tested.sendAll(pattern(CHUNK_BYTES), { signal: stop.signal }));
    assert.equal(await settles(aborted), false);
    const reason = new Error("enough");
    stop.abort(reason);
    assert.equal(await rejection(aborted, "the aborted call"), reason);
    tested.close();
    await waiting.catch(() => undefined);
  },

  "sendAll() carries megabytes both ways at once, whole, in pieces of any size": async (
    [tested, peer],
    { random, transferBytes },
  ) => {
    const there = pattern(transferBytes, 1);
    const back = pattern(transferBytes, 2);
    const [received, answered] = await Promise.all([
      receiveInPieces(peer, there.length, random),
      receiveInPieces(tested, back.length, random),
      sendInPieces(tested, there, random),
      sendInPieces(peer, back, random),
    ]);
    assertBytes(received, there, "what the peer received");
    assertBytes(answered, back, "what the peer sent");
  },

  "sendAll() of one large piece arrives whole, and the end behind it": async (
    [tested, peer],
    { transferBytes },
  ) => {
    const bytes = pattern(transferBytes, 3);
    const sends = [quiet(tested.sendAll(bytes)), quiet(tested.closeWrite())];
    assertBytes(await receiveAll(peer), bytes, "what arrived");
    await Promise.all(sends);
  },
};
