// Two sockets under random calls against the model of a connection: no byte lost, doubled or moved, whatever times out, is
// aborted or closed; every call settles, once, and in its turn; nothing is left open, and nothing holds the process.
//
// FUZZ_SEED replays the round with that seed; FUZZ_ROUNDS makes so many of each kind instead of a few.

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { after, before, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { socketpair } from "berkeley";
import { currentEngine } from "#dist/engine/current.js";
import { Operation } from "#dist/engine/operation.js";
import { NARROW, openSockets, tcpPair } from "../support/pair.ts";
import { Random } from "../support/random.ts";
import { Connection } from "./ledger.ts";
import { Program, TEMPERS } from "./steps.ts";

const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? (process.env["FUZZ_SEED"] === undefined ? 10 : 1));
const STEPS_MAX = 100;
/** A call that has not settled so long after the last step never will. */
const DRAIN_MS_MAX = 60_000;
/** What is shown of a round that failed. */
const LAST_STEPS = 60;

const KINDS: Readonly<Record<string, () => Promise<Connection>>> = {
  "TCP over IPv4": () => tcpPair().then(({ a, b }) => new Connection(a, b)),
  "TCP over IPv6": () => tcpPair({ host: "::1" }).then(({ a, b }) => new Connection(a, b)),
  "TCP with small buffers": () => tcpPair(NARROW).then(({ a, b }) => new Connection(a, b)),
  "a Unix socketpair": async () => new Connection(...socketpair()),
};

/** Operations that settled, and how often; more than once must not be. */
let twice = 0;
const promise = Reflect.get(Operation.prototype, "promise") as (this: Operation) => Promise<unknown>;
/** How often the engine holds the process; it never holds it twice. */
let holds = 0;
const { backend } = currentEngine();
const [ref, unref] = [backend.ref.bind(backend), backend.unref.bind(backend)];

before(() => {
  Operation.prototype.promise = function <T>(this: Operation<T>): Promise<T> {
    const made = promise.call(this as Operation) as Promise<T>;
    const { resolve, reject } = this;
    let settled = 0;
    this.resolve = (value) => {
      if (settled++ > 0) twice++;
      resolve?.(value);
    };
    this.reject = (reason) => {
      if (settled++ > 0) twice++;
      reject?.(reason);
    };
    return made;
  };
  backend.ref = () => {
    holds++;
    ref();
  };
  backend.unref = () => {
    holds--;
    unref();
  };
});
after(() => {
  Operation.prototype.promise = promise;
  Object.assign(backend, { ref, unref });
});

/** Fails when it is not done in time, and holds the process till then. */
async function inTime(what: Promise<void>, connection: Connection): Promise<void> {
  const timer = setTimeout(() => {
    const waiting = connection.ends.flatMap((end) => end.waiting());
    connection.broke(new Error(`never settled: ${waiting.join(", ")}`));
  }, DRAIN_MS_MAX);
  await connection.watch(what).finally(() => clearTimeout(timer));
}

async function round(make: () => Promise<Connection>, seed: number): Promise<void> {
  const random = new Random(seed);
  const open = openSockets();
  const connection = await make();
  const program = new Program(connection, random, random.pick(TEMPERS));
  try {
    const steps = 1 + random.below(STEPS_MAX);
    for (let step = 0; step < steps; step++) await connection.watch(program.step());
    await inTime(program.drain(), connection);
    connection.compare();
    assert.equal(twice, 0, "operations that settled twice");
    assert.equal(holds, 0, "what holds the process");
    for (const { signal } of program.controllers)
      assert.equal(getEventListeners(signal, "abort").length, 0, "listeners left on a signal");
    assert.deepEqual(openSockets(), open, "sockets left open");
  } catch (error) {
    const steps = program.log.slice(-LAST_STEPS).join("\n");
    throw new Error(`FUZZ_SEED=${seed}: ${(error as Error).message}\n${steps}`, { cause: error });
  } finally {
    for (const end of connection.ends) end.socket.close();
    await turn();
  }
}

for (const [kind, make] of Object.entries(KINDS))
  test(`calls at random on ${kind} lose, double and move no byte, and each settles once and in its turn`, async (t) => {
    const { seed } = new Random();
    t.diagnostic(`FUZZ_SEED=${seed}`);
    for (let at = 0; at < ROUNDS; at++) await round(make, seed + at);
  });
