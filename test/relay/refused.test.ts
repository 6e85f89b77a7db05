// relay() where the system refuses to splice: from the beginning, half-way, and with bytes in the pipe. The refusals are
// put in the addon's place, for no kernel at hand refuses streams.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SHUT_WR, relay, socketpair } from "berkeley";
import { EINVAL, EMFILE, ENOSYS } from "#dist/constants/index.js";
import { native } from "#dist/native.js";
import { receiveToEnd } from "../support/berkeley-tcp.ts";
import { pattern } from "../support/pair.ts";

type Calls = Record<"splice" | "pipe", (...values: never[]) => number>;
const calls = native as unknown as Calls;

/** Answers in a call's place, until disposed; undefined lets the call be made. */
function instead(name: keyof Calls, answer: (...values: number[]) => number | undefined): Disposable {
  const real = calls[name];
  calls[name] = (...values) => answer(...values) ?? real(...values);
  return {
    [Symbol.dispose]() {
      calls[name] = real;
    },
  };
}

const data = pattern(2_000_000);

/** Relays `data` through two Unix pairs, and tells by which way it came. */
async function relayed(): Promise<readonly [method: string, equal: boolean]> {
  const [client, a] = socketpair();
  const [b, server] = socketpair();
  const relaying = relay(a, b);
  const sending = client.sendall(data).then(() => client.shutdown(SHUT_WR));
  const equal = (await receiveToEnd(server)).equals(data);
  await sending;
  server.close();
  const { forward } = await relaying;
  assert.equal(forward.bytes, data.length);
  for (const end of [client, a, b]) end.close();
  return [forward.method, equal];
}

const LINUX = { skip: process.platform === "linux" ? false : "splice is Linux's" };

test("relay() copies when no pipe is to be had", LINUX, async () => {
  using _ = instead("pipe", () => -EMFILE);
  assert.deepEqual(await relayed(), ["copy", true]);
});

for (const [name, error] of Object.entries({ EINVAL, ENOSYS }))
  test(`relay() copies when splice says ${name} at once`, LINUX, async () => {
    using _ = instead("splice", () => -error);
    assert.deepEqual(await relayed(), ["copy", true]);
  });

test(
  "relay() copies on when splice refuses half-way, and loses nothing of what is in the pipe",
  LINUX,
  async () => {
    for (const refusedFrom of [2, 3, 4, 5, 8, 9]) {
      let count = 0;
      using _ = instead("splice", () => (++count >= refusedFrom ? -EINVAL : undefined));
      assert.deepEqual(await relayed(), ["copy", true], `from call ${refusedFrom} on`);
    }
  },
);

test("relay() goes on when splice moves a byte at a time", LINUX, async () => {
  const { splice } = calls;
  let calm = 5000;
  using _ = instead("splice", (from, to, size) => {
    void size;
    return calm-- > 0 ? splice(from as never, to as never, 1 as never) : undefined;
  });
  assert.deepEqual(await relayed(), ["splice", true]);
});
