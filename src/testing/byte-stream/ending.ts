// What the ends promise: closeWrite leaves the other direction open, close ends everything at once, and what was sent
// before still arrives.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { assertBytes, codeOf, pattern, quiet, receiveAll, receiveExactly, settles } from "./support.ts";
import type { Check } from "./support.ts";

/** What says that the peer has gone away. */
const GONE: readonly unknown[] = ["EPIPE", "ECONNRESET"];
/** Sends after which at the latest it is known that the peer has gone. */
const SENDS_MAX = 2000;

export const ending: Readonly<Record<string, Check>> = {
  "closeWrite() ends one direction, and the other goes on": async ([tested, peer]) => {
    const question = [quiet(tested.sendAll("question")), quiet(tested.closeWrite())];
    assert.equal((await receiveAll(peer)).toString(), "question");
    const answer = quiet(peer.sendAll("answer"));
    assert.equal((await receiveExactly(tested, 6)).toString(), "answer");
    await Promise.all([...question, answer]);
    await peer.closeWrite();
    assert.equal((await tested.receiveSome()).length, 0);
  },

  "closeWrite() again does nothing, also when both sides have ended": async ([tested, peer]) => {
    await Promise.all([tested.closeWrite(), tested.closeWrite()]);
    await peer.closeWrite();
    assert.equal((await tested.receiveSome()).length, 0);
    assert.equal((await peer.receiveSome()).length, 0);
    await tested.closeWrite();
  },

  "closeWrite() comes behind sends that wait": async ([tested, peer], { transferBytes }) => {
    const bytes = pattern(transferBytes);
    const sends = [quiet(tested.sendAll(bytes)), quiet(tested.sendAll("last")), quiet(tested.closeWrite())];
    const received = await receiveAll(peer);
    assertBytes(received, Buffer.concat([bytes, Buffer.from("last")]), "what arrived before the end");
    await Promise.all(sends);
  },

  "closeWrite() refuses sends that come behind it with EPIPE": async ([tested, peer]) => {
    const ended = tested.closeWrite();
    const late = quiet(tested.sendAll("late"));
    await ended;
    assert.equal(await codeOf(late, "a send behind closeWrite"), "EPIPE");
    assert.equal(await codeOf(tested.sendAll("later"), "a send after closeWrite"), "EPIPE");
    assert.equal((await peer.receiveSome()).length, 0);
  },

  "sendAll() goes on after the peer's end": async ([tested, peer]) => {
    await peer.closeWrite();
    assert.equal((await tested.receiveSome()).length, 0);
    const sent = quiet(tested.sendAll("still here"));
    assert.equal((await receiveExactly(peer, 10)).toString(), "still here");
    await sent;
  },

  "sendAll() fails with EPIPE or ECONNRESET once the peer has closed": async ([tested, peer]) => {
    peer.close();
    assert.equal((await tested.receiveSome()).length, 0);
    const chunk = pattern(1000);
    for (let sends = 0; sends < SENDS_MAX; sends++) {
      const sent = quiet(tested.sendAll(chunk));
      await settles(sent);
      const code = await sent.then(
        () => undefined,
        (error: unknown) => (error as { code?: unknown }).code ?? "no code",
      );
      if (code === undefined) continue;
      assert.ok(GONE.includes(code), `it failed with ${inspect(code)}`);
      return;
    }
    assert.fail("nothing failed");
  },

  "close() lets what was sent arrive": async ([tested, peer]) => {
    const receiving = quiet(receiveAll(peer));
    await tested.sendAll(pattern(30_000));
    tested.close();
    assertBytes(await receiving, pattern(30_000), "what arrived");
  },

  "close() fails what waits with ECANCELED": async ([tested, peer]) => {
    const receives = [tested.receiveSome(), tested.receiveSome(10)].map(quiet);
    const sends = Array.from({ length: 200 }, () => quiet(tested.sendAll(pattern(262_144))));
    const ended = quiet(tested.closeWrite());
    assert.equal(await settles(ended), false, "sends that nobody receives did not wait");
    tested.close();
    for (const waiting of [...receives, sends.at(-1) as Promise<void>, ended])
      assert.equal(await codeOf(waiting, "a call that waited"), "ECANCELED");
    peer.close();
  },

  "close() makes every later call fail with EBADF": async ([tested]) => {
    assert.equal(tested.closed, false);
    tested.close();
    assert.equal(tested.closed, true);
    assert.equal(await codeOf(tested.receiveSome(), "receiveSome()"), "EBADF");
    assert.equal(await codeOf(tested.sendAll("x"), "sendAll()"), "EBADF");
    assert.equal(await codeOf(tested.closeWrite(), "closeWrite()"), "EBADF");
  },

  "close() is the peer's end": async ([tested, peer]) => {
    const waiting = peer.receiveSome();
    tested.close();
    assert.equal((await waiting).length, 0);
    assert.equal((await peer.receiveSome()).length, 0);
  },

  "close() again does nothing, nor does disposing": async ([tested]) => {
    tested.close();
    tested.close();
    await tested[Symbol.asyncDispose]();
    assert.equal(tested.closed, true);
  },

  "Symbol.asyncDispose closes": async ([tested, peer]) => {
    await tested[Symbol.asyncDispose]();
    assert.equal(tested.closed, true);
    assert.equal((await peer.receiveSome()).length, 0);
  },

  "localAddress and remoteAddress are the peer's, the other way round": ([tested, peer]) => {
    const { localAddress, remoteAddress } = tested;
    if (localAddress !== undefined && peer.remoteAddress !== undefined)
      assert.deepEqual(peer.remoteAddress, localAddress);
    if (remoteAddress !== undefined && peer.localAddress !== undefined)
      assert.deepEqual(peer.localAddress, remoteAddress);
    return Promise.resolve();
  },
};
