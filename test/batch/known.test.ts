// The cache of what was made of bytes before: what it finds, and that it does not grow.

import assert from "node:assert/strict";
import { test } from "node:test";
import { KNOWN_MAX, Known } from "#dist/socket/batch/known.js";

/** Words of which only so many bytes count; what lies behind them differs each time. */
function words(text: string, behind: number): Uint32Array {
  const bytes = Buffer.alloc(Math.ceil(text.length / 4) * 4 + 8, behind);
  bytes.write(text, 4);
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

test("Known.find() finds a value by exactly its bytes, whatever lies around them", () => {
  const known = new Known<string>();
  for (const text of ["", "a", "ab", "abc", "abcd", "abcde", "abcdefghijk"]) {
    assert.equal(known.find(words(text, 1), 1, text.length), undefined, text);
    known.keep(words(text, 2), 1, text.length, `made of ${text}`);
    assert.equal(known.find(words(text, 3), 1, text.length), `made of ${text}`);
  }
  assert.equal(known.find(words("abcdf", 2), 1, 5), undefined);
  assert.equal(known.find(words("bbcde", 2), 1, 5), undefined);
});

test("Known.keep() copies the bytes", () => {
  const known = new Known<string>();
  const key = words("abcd", 0);
  known.keep(key, 1, 4, "first");
  key.fill(7);
  assert.equal(known.find(words("abcd", 0), 1, 4), "first");
});

test("Known keeps a bounded number of values, and never gives one for another's bytes", () => {
  const known = new Known<number>();
  const key = new Uint32Array(4);
  const MANY = 20 * KNOWN_MAX;
  let found = 0;
  for (let i = 0; i < MANY; i++) {
    key[1] = i;
    assert.equal(known.find(key, 0, 16), undefined);
    known.keep(key, 0, 16, i);
  }
  for (let i = 0; i < MANY; i++) {
    key[1] = i;
    const value = known.find(key, 0, 16);
    if (value === undefined) continue;
    assert.equal(value, i);
    found++;
  }
  assert.ok(found > KNOWN_MAX / 2 && found <= KNOWN_MAX, `${found}`);
});
