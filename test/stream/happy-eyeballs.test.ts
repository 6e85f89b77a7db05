// The order of attempts and how they overlap (RFC 8305), with a clock that the test turns.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { interleave, race } from "#dist/stream/happy-eyeballs.js";
import { rejection, stillWaits } from "../support/pair.ts";

/** Time that passes when the test says so. */
class Clock {
  now = 0;
  readonly timers = new Map<number, { at: number; callback: () => void }>();
  #next = 0;

  setTimer(callback: () => void, ms: number): unknown {
    this.timers.set(++this.#next, { at: this.now + ms, callback });
    return this.#next;
  }

  clearTimer(timer: unknown): void {
    this.timers.delete(timer as number);
  }

  async pass(ms: number): Promise<void> {
    this.now += ms;
    for (const [id, { at, callback }] of this.timers)
      if (at <= this.now && this.timers.delete(id)) callback();
    await turn();
  }
}

/** Attempts that end when the test says so, and what is seen of them. */
function course(count: number) {
  const clock = new Clock();
  const started: [attempt: number, at: number][] = [];
  const stopped: number[] = [];
  const discarded: string[] = [];
  const ends: { win: (name: string) => void; fail: (error: unknown) => void }[] = [];
  const attempts = Array.from({ length: count }, (_, index) => (signal: AbortSignal) => {
    started.push([index, clock.now]);
    signal.addEventListener("abort", () => stopped.push(index));
    return new Promise<string>((win, fail) => (ends[index] = { win, fail }));
  });
  const options = {
    clock,
    delayMs: 250,
    discard: (name: string) => void discarded.push(name),
    isOwn: (error: unknown) => error instanceof Error,
    signal: undefined as AbortSignal | undefined,
  };
  const end = (index: number) =>
    ends[index] as { win: (name: string) => void; fail: (error: unknown) => void };
  return { attempts, clock, discarded, end, options, started, stopped };
}

test("interleave() lets the families take turns, beginning with the first address's", () => {
  const mix = (addresses: string[]) =>
    interleave(
      addresses,
      (address) => Number(address[0]),
      (address) => address,
    );
  assert.deepEqual(mix(["6a", "6b", "6c", "4a", "4b"]), ["6a", "4a", "6b", "4b", "6c"]);
  assert.deepEqual(mix(["4a", "4b", "6a"]), ["4a", "6a", "4b"]);
  assert.deepEqual(mix(["6a", "6b"]), ["6a", "6b"]);
  assert.deepEqual(mix(["6a", "6a", "4a", "6a", "4a"]), ["6a", "4a"]);
  assert.deepEqual(mix([]), []);
});

test("race() starts the next attempt each 250 ms while none has ended, and the first to succeed wins", async () => {
  const { attempts, clock, end, options, started, stopped } = course(4);
  const winner = race(attempts, options);
  await clock.pass(249);
  assert.equal(started.length, 1);
  await clock.pass(1);
  await clock.pass(250);
  assert.deepEqual(started, [
    [0, 0],
    [1, 250],
    [2, 500],
  ]);
  end(1).win("second");
  assert.equal(await winner, "second");
  assert.deepEqual(stopped, [0, 1, 2]);
  assert.equal(clock.timers.size, 0, "a timer was left");
  await clock.pass(1000);
  assert.equal(started.length, 3, "an attempt was started after the end");
});

test("race() starts the next attempt at once when one fails, and the delay begins anew", async () => {
  const { attempts, clock, end, options, started } = course(3);
  const winner = race(attempts, options);
  await clock.pass(100);
  end(0).fail(new Error("refused"));
  await turn();
  assert.deepEqual(started, [
    [0, 0],
    [1, 100],
  ]);
  await clock.pass(249);
  assert.equal(started.length, 2);
  await clock.pass(1);
  assert.deepEqual(started.at(-1), [2, 350]);
  end(2).win("third");
  assert.equal(await winner, "third");
});

test("race() rejects with every error, in the order of their coming, when all attempts have failed", async () => {
  const { attempts, clock, end, options } = course(3);
  const failing = race(attempts, options).catch((errors: unknown) => errors);
  await clock.pass(250);
  await clock.pass(250);
  const errors = [2, 0, 1].map((index) => {
    const error = new Error(`of ${index}`);
    end(index).fail(error);
    return error;
  });
  assert.deepEqual(await failing, errors);
});

test("race() waits for attempts that are under way when the last one has failed", async () => {
  const { attempts, clock, end, options } = course(2);
  const winner = race(attempts, options);
  await clock.pass(250);
  end(1).fail(new Error("refused"));
  await stillWaits(winner);
  end(0).win("slow");
  assert.equal(await winner, "slow");
});

test("race() discards one that succeeds too late", async () => {
  const { attempts, clock, discarded, end, options } = course(2);
  const winner = race(attempts, options);
  await clock.pass(250);
  end(0).win("first");
  end(1).win("late");
  assert.equal(await winner, "first");
  await turn();
  assert.deepEqual(discarded, ["late"]);
});

test("race() ends with the signal's reason, and stops all attempts", async () => {
  const { attempts, clock, discarded, end, options, stopped } = course(3);
  const stop = new AbortController();
  const winner = race(attempts, { ...options, signal: stop.signal });
  await clock.pass(250);
  const reason = new Error("enough");
  stop.abort(reason);
  assert.equal(await rejection(winner), reason);
  assert.deepEqual(stopped, [0, 1]);
  assert.equal(clock.timers.size, 0);
  end(0).win("late");
  await turn();
  assert.deepEqual(discarded, ["late"]);
});

test("race() ends at once with an error that is no attempt's own", async () => {
  const { attempts, end, options, started, stopped } = course(2);
  const winner = race(attempts, options).catch((error: unknown) => error);
  end(0).fail("misuse");
  assert.equal(await winner, "misuse");
  assert.equal(started.length, 1);
  assert.deepEqual(stopped, [0]);
});
