// The queues of operations against lists of them, and what a long one costs.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Descriptor } from "#dist/engine/descriptor.js";
import { ERRORS, READ, WRITE } from "#dist/engine/descriptor.js";
import { Call } from "#dist/engine/operation.js";
import type { Operation, Owner } from "#dist/engine/operation.js";
import { Queues } from "#dist/engine/queues.js";
import { Random } from "../support/random.ts";

const owner: Owner = { failure: () => new Error("failure"), expiry: () => new Error("expiry") };
const call = (): Operation => new Call(owner, "call", () => 0, Number) as Operation;
/** What of a descriptor is for its queues. */
const descriptor = (): Descriptor => ({ reads: null, writes: null }) as Descriptor;

test("Queues keep the order of what comes, whatever is taken out in between", (t) => {
  const random = new Random();
  t.diagnostic(`FUZZ_SEED=${random.seed}`);
  const queues = new Queues();
  const places = [descriptor(), descriptor()].flatMap((of) =>
    [READ, WRITE, ERRORS].map((direction) => ({ of, direction, list: [] as Operation[] })),
  );
  for (let step = 0; step < 20_000; step++) {
    const { of, direction, list } = random.pick(places);
    // They grow to a few and are emptied again: most queues have none, one or two.
    if (list.length === 0 || random.below(list.length + 2) === 0) {
      const operation = call();
      queues.append(of, direction, operation);
      list.push(operation);
    } else {
      const [operation] = list.splice(random.onceIn(2) ? 0 : random.below(list.length), 1) as [Operation];
      assert.equal(queues.remove(of, direction, operation), true);
      assert.equal(operation.next, null, "who waits no more holds nobody");
      assert.equal(queues.remove(of, direction, operation), false, "taken out once");
    }
    assert.equal(queues.head(of, direction), list[0] ?? null);
    assert.deepEqual(queues.all(of, direction), list);
    const errors = places.some((place) => place.direction === ERRORS && place.list.length > 0);
    assert.equal(queues.errors, errors);
    const count = places.reduce((sum, place) => sum + (place.of === of ? place.list.length : 0), 0);
    assert.equal(queues.count(of), count);
  }
});

test("Queues look at few operations to put one behind ten thousand, and to take the oldest", () => {
  const queues = new Queues();
  const of = descriptor();
  let looks = 0;
  const operations = Array.from({ length: 10_000 }, () => {
    const operation = call();
    let next: Operation | null = null;
    return Object.defineProperty(operation, "next", {
      get: () => (looks++, next),
      set(other: Operation | null) {
        next = other;
      },
    });
  });
  for (const operation of operations) queues.append(of, WRITE, operation);
  for (const operation of operations) {
    assert.equal(queues.head(of, WRITE), operation);
    queues.remove(of, WRITE, operation);
  }
  assert.equal(queues.head(of, WRITE), null);
  assert.ok(looks < 20 * operations.length, `${looks} looks`);
});
