// The engine over a backend whose events are written by hand: what no kernel can be asked to do on cue.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AF_INET, EAGAIN, ECANCELED, ENOSPC, SOCK_STREAM } from "berkeley";
import type { Backend, Timer } from "#dist/engine/backend.js";
import { END, ERRORS, READ, WRITE } from "#dist/engine/descriptor.js";
import type { Descriptor } from "#dist/engine/descriptor.js";
import { Engine, FOREVER } from "#dist/engine/engine.js";
import { Call } from "#dist/engine/operation.js";
import type { Owner } from "#dist/engine/operation.js";
import { stillWaits } from "../support/pair.ts";

/** One event: bits, index, generation. */
type Event = readonly [bits: number, index: number, generation: number];

/** A backend that does what a test tells it, and notes what the engine asked of it. */
class Stage implements Backend {
  readonly name = "stage";
  readonly calls = {} as Backend["calls"];
  readonly pollers = {} as Backend["pollers"];
  readonly asked: string[] = [];
  refusal = 0;
  referenced = false;
  readonly turns: (() => void)[] = [];
  readonly timers = new Map<unknown, () => void>();
  #wake: () => void = () => undefined;
  #events: readonly Event[] = [];

  watch(fd: number, bits: number, index: number, generation: number): number {
    this.asked.push(`watch ${fd} ${bits} ${index} ${generation}`);
    return this.refusal;
  }
  change(fd: number, bits: number): number {
    this.asked.push(`change ${fd} ${bits}`);
    return this.refusal;
  }
  forget(fd: number): void {
    this.asked.push(`forget ${fd}`);
  }
  take(events: Uint32Array): number {
    this.#events.forEach((event, at) => events.set(event, at * 3));
    return this.#events.length;
  }
  start(wake: () => void): void {
    this.#wake = wake;
  }
  ref(): void {
    this.referenced = true;
  }
  unref(): void {
    this.referenced = false;
  }
  /** Milliseconds. */
  time = 0;
  now(): number {
    return this.time;
  }
  setTimer(callback: () => void): Timer {
    const timer: Timer = {
      refresh: () => this.timers.set(timer, callback),
      ref: () => timer,
      [Symbol.dispose]: () => this.clearTimer(timer),
    };
    this.timers.set(timer, callback);
    return timer;
  }
  clearTimer(timer: Timer): void {
    this.timers.delete(timer);
  }
  nextTurn(callback: () => void): void {
    this.turns.push(callback);
  }

  /** One wake-up with these events. */
  deliver(...events: Event[]): void {
    this.#events = events;
    this.#wake();
  }
  /** The next turn of the loop. */
  turn(): void {
    for (const callback of this.turns.splice(0)) callback();
  }
}

const owner: Owner = {
  failure: (syscall, result) => new Error(`${syscall} ${result}`),
  expiry: (syscall) => new Error(`${syscall} late`),
};

/** A stage with an engine on it, and descriptors under the engine. */
function set(): { stage: Stage; engine: Engine; open: (fd: number) => Descriptor } {
  const stage = new Stage();
  const engine = new Engine(stage);
  const kind = { engine, family: AF_INET, type: SOCK_STREAM, proto: 0, sendFlags: 0, messageFlags: 0 };
  return { stage, engine, open: (fd) => engine.attach(kind, fd, true) };
}

/** Parks a call that does `attempt` each time it is tried. */
function park(
  engine: Engine,
  descriptor: Descriptor,
  attempt: () => number,
  { direction = READ, ms = FOREVER }: { direction?: number; ms?: number } = {},
): Promise<number> {
  engine.dry(descriptor, direction);
  const call = new Call(owner, "call", attempt, (result) => result);
  return engine.park(descriptor, direction, call, ms, undefined);
}

test("Engine leaves out an event that an earlier user of the number was sent", async () => {
  const { stage, engine, open } = set();
  const old = open(7);
  const cancelled = assert.rejects(
    park(engine, old, () => -EAGAIN),
    { message: `call ${-ECANCELED}` },
  );
  engine.release(old);
  const heir = open(7);
  let tries = 0;
  const waiting = park(engine, heir, () => ++tries);
  stage.deliver([READ, 7, old.generation]);
  assert.equal(tries, 0);
  stage.deliver([READ, 7, heir.generation]);
  assert.equal(await waiting, 1);
  await cancelled;
});

test("Engine leaves out an event of a number that nobody has", () => {
  const { stage } = set();
  stage.deliver([READ, 12_345, 1], [WRITE, 0, 0]);
});

test("Engine fails everybody who waits when the poller refuses the descriptor", async () => {
  const { stage, engine, open } = set();
  stage.refusal = -ENOSPC;
  const waiting = park(engine, open(7), () => -EAGAIN);
  await assert.rejects(waiting, { message: `call ${-ENOSPC}` });
  assert.equal(stage.referenced, false);
});

test("Engine serves the rest of a batch when one attempt throws, and rejects that one with what it threw", async () => {
  const { stage, engine, open } = set();
  const [first, second] = [open(7), open(8)];
  const reason = new Error("thrown by an attempt");
  const failing = park(engine, first, () => {
    throw reason;
  });
  const behind = park(engine, first, () => 1);
  const other = park(engine, second, () => 2);
  stage.deliver([READ, 7, first.generation], [READ, 8, second.generation]);
  await assert.rejects(failing, reason);
  assert.deepEqual(await Promise.all([behind, other]), [1, 2]);
  assert.equal(stage.referenced, false);
});

test("Engine rejects with what the wording of an error throws", async () => {
  const { stage, engine, open } = set();
  const descriptor = open(7);
  const reason = new Error("no words");
  const speechless: Owner = {
    ...owner,
    failure() {
      throw reason;
    },
  };
  engine.dry(descriptor, READ);
  const call = new Call(
    speechless,
    "call",
    () => -ENOSPC,
    (result) => result,
  );
  const waiting = engine.park(descriptor, READ, call, FOREVER, undefined);
  stage.deliver([READ, 7, descriptor.generation]);
  await assert.rejects(waiting, reason);
});

test("Engine gives each turn a credit: what is left over goes on in the next, behind the other descriptors", async () => {
  const { stage, engine, open } = set();
  const { credit } = engine;
  const [greedy, modest] = [open(7), open(8)];
  let served = 0;
  const many = Array.from({ length: credit * 2 }, () => park(engine, greedy, () => ++served));
  const one = park(engine, modest, () => -1234);
  stage.deliver([READ, 7, greedy.generation], [READ, 8, modest.generation]);
  assert.equal(served, credit);
  stage.turn();
  assert.equal(served, credit * 2);
  stage.turn(); // the modest one was behind
  await assert.rejects(one, { message: "call -1234" });
  await Promise.all(many);
  assert.deepEqual([stage.turns.length, stage.referenced], [0, false]);
});

test("Engine gives each a turn beside one that is never done: who had none comes before who wants another", async () => {
  const { stage, engine, open } = set();
  const [greedy, one, other] = [open(7), open(8), open(9)];
  const endless = park(engine, greedy, () => {
    engine.credit = 0;
    return -EAGAIN;
  });
  const others = [one, other].map((descriptor) => park(engine, descriptor, () => 1));
  stage.deliver(...[greedy, one, other].map(({ fd, generation }): Event => [READ, fd, generation]));
  for (let turns = 0; turns < 5; turns++) stage.turn();
  assert.deepEqual(await Promise.all(others), [1, 1]);
  await stillWaits(endless);
  engine.release(greedy);
  await assert.rejects(endless);
});

test("Engine lets an attempt that stopped for the others' sake go on in the next turn without an event", async () => {
  const { stage, engine, open } = set();
  const descriptor = open(7);
  let tries = 0;
  const waiting = park(engine, descriptor, () => {
    engine.credit = 0;
    return ++tries < 3 ? -EAGAIN : tries;
  });
  stage.deliver([READ, 7, descriptor.generation]);
  stage.turn();
  stage.turn();
  assert.equal(await waiting, 3);
});

test("Engine holds the process by an operation that waits, not by one of an unreferenced descriptor", async () => {
  const { stage, engine, open } = set();
  const [held, free] = [open(7), open(8)];
  engine.setReferenced(free, false);
  const unheld = park(engine, free, () => 8);
  assert.equal(stage.referenced, false);
  const waiting = park(engine, held, () => 7);
  assert.equal(stage.referenced, true);
  engine.setReferenced(held, false);
  assert.equal(stage.referenced, false);
  engine.setReferenced(free, true);
  assert.equal(stage.referenced, true);
  stage.deliver([READ, 7, held.generation], [READ, 8, free.generation]);
  assert.deepEqual(await Promise.all([waiting, unheld]), [7, 8]);
  assert.equal(stage.referenced, false);
});

test("Engine holds no process with an unreferenced descriptor's turn, and asks the poller for it instead", async () => {
  const { stage, engine, open } = set();
  const descriptor = open(7);
  const { credit } = engine;
  engine.setReferenced(descriptor, false);
  let served = 0;
  const many = Array.from({ length: credit + 1 }, () => park(engine, descriptor, () => ++served));
  stage.deliver([READ, 7, descriptor.generation]);
  assert.deepEqual([stage.turns.length, stage.asked.at(-1)], [0, "change 7 1"]);
  stage.deliver([READ, 7, descriptor.generation]); // as the poller then reports
  assert.equal((await Promise.all(many)).length, credit + 1);
});

test("Engine registers a descriptor once for each direction, and forgets it at the release", async () => {
  const { stage, engine, open } = set();
  const descriptor = open(7);
  const reads = [park(engine, descriptor, () => -EAGAIN), park(engine, descriptor, () => -EAGAIN)];
  const write = park(engine, descriptor, () => -EAGAIN, { direction: WRITE });
  stage.deliver([READ | WRITE, 7, descriptor.generation]);
  await Promise.all([...reads, write].map(stillWaits));
  engine.release(descriptor);
  for (const waiting of [...reads, write]) await assert.rejects(waiting, { message: `call ${-ECANCELED}` });
  assert.deepEqual(stage.asked, [`watch 7 1 7 ${descriptor.generation}`, "change 7 3", "forget 7"]);
  assert.equal(stage.referenced, false);
});

test("Engine waits on when a timer comes before its time", async () => {
  const { stage, engine, open } = set();
  const waiting = park(engine, open(7), () => -EAGAIN, { ms: 10 });
  for (const time of [9.5, 9.9]) {
    const [[timer, expire] = []] = stage.timers;
    stage.timers.delete(timer);
    stage.time = time;
    expire?.();
    await stillWaits(waiting);
  }
  stage.time = 10;
  const [expire] = stage.timers.values();
  expire?.();
  await assert.rejects(waiting, { message: "call late" });
  assert.deepEqual([stage.timers.size, stage.referenced], [0, false]);
});

test("Engine makes a last try when a timer is due, whatever the turn has spent, and clears the timer", async () => {
  const { stage, engine, open } = set();
  const descriptor = open(7);
  const waiting = park(engine, descriptor, () => 1, { ms: 10 });
  engine.credit = -5;
  stage.time = 10;
  for (const expire of stage.timers.values()) expire();
  assert.equal(await waiting, 1);
  assert.deepEqual([stage.timers.size, stage.referenced], [0, false]);
  const late = park(engine, descriptor, () => -EAGAIN, { ms: 10 });
  stage.time = 20;
  for (const expire of stage.timers.values()) expire();
  await assert.rejects(late, { message: "call late" });
  assert.deepEqual([stage.timers.size, stage.referenced], [0, false]);
});

test("Engine tries everybody who waits for an error queue at each error, before those who read, and no more often", async () => {
  const { stage, engine, open } = set();
  const descriptor = open(7);
  const tried: string[] = [];
  const answers: Record<string, number> = { first: -EAGAIN, second: -EAGAIN, reader: -EAGAIN };
  const attempt = (name: string) => (): number => {
    tried.push(name);
    return answers[name] as number;
  };
  const reader = park(engine, descriptor, attempt("reader"));
  const first = park(engine, descriptor, attempt("first"), { direction: ERRORS });
  const second = park(engine, descriptor, attempt("second"), { direction: ERRORS });
  const error: Event = [READ | WRITE | END, 7, descriptor.generation];
  stage.deliver(error);
  assert.deepEqual(tried, ["first", "second", "reader"]);
  answers["second"] = 2;
  stage.deliver(error);
  assert.equal(await second, 2);
  stage.turn();
  assert.deepEqual(tried.splice(0), ["first", "second", "reader", "first", "second", "reader"]);
  // Who finds what is another's has all tried again, in the next turn.
  engine.again(descriptor);
  assert.deepEqual(tried, []);
  answers["first"] = 1;
  stage.turn();
  assert.equal(await first, 1);
  assert.deepEqual(tried, ["first"]);
  answers["reader"] = 3;
  stage.deliver([READ, 7, descriptor.generation]);
  assert.equal(await reader, 3);
  assert.equal(stage.referenced, false);
});

test("Engine holds the process for who waits for an error queue, and fails him at the end of the descriptor", async () => {
  const { stage, engine, open } = set();
  const descriptor = open(7);
  const waiting = park(engine, descriptor, () => -EAGAIN, { direction: ERRORS });
  assert.equal(stage.referenced, true);
  engine.setReferenced(descriptor, false);
  assert.equal(stage.referenced, false);
  engine.setReferenced(descriptor, true);
  engine.release(descriptor);
  await assert.rejects(waiting, { message: `call ${-ECANCELED}` });
  assert.equal(stage.referenced, false);
});

test("Engine tries who waits for an error queue in the next turn when the event comes after the credit is spent", async () => {
  const { stage, engine, open } = set();
  const [busy, failing] = [open(7), open(8)];
  const first = park(engine, busy, () => {
    engine.credit = 0;
    return 7;
  });
  const attempt = (): number => (engine.credit <= 0 ? -EAGAIN : 8);
  const waiting = park(engine, failing, attempt, { direction: ERRORS });
  stage.deliver([READ, 7, busy.generation], [END, 8, failing.generation]);
  stage.turn();
  assert.deepEqual(await Promise.all([first, waiting]), [7, 8]);
  assert.equal(stage.turns.length, 0);
});

test("Engine lets an operation wait on that has come further in its last try: its time begins anew", async () => {
  const { stage, engine, open } = set();
  const descriptor = open(7);
  let left = 3;
  const call: Call<number> = new Call(
    owner,
    "call",
    () => {
      if (left > 0) engine.prolong(descriptor, WRITE, call, 10);
      left--;
      return -EAGAIN;
    },
    (result) => result,
  );
  engine.dry(descriptor, WRITE);
  const waiting = engine.park(descriptor, WRITE, call, 10, undefined);
  const late = assert.rejects(waiting, { message: "call late" });
  for (let tries = 0; tries < 3; tries++) {
    const [expire] = stage.timers.values();
    stage.time += 10;
    expire?.();
    await stillWaits(waiting);
  }
  const [expire] = stage.timers.values();
  stage.time += 10;
  expire?.();
  await late;
  assert.deepEqual([left, stage.timers.size], [-1, 0]);
});
