// The stream that a handler is given keeps every promise of the stream beneath it.

import { test } from "node:test";
import { socketpair } from "berkeley";
import { SocketStream, memoryPair } from "berkeley/stream";
import { checkByteStream } from "berkeley/testing";
import type { StreamPair } from "berkeley/testing";
import { Counters } from "#dist/server/counters.js";
import { ServedStream } from "#dist/server/served-stream.js";

const watch = {
  counters: new Counters(),
  waits() {},
  ended() {},
  explain: (error: unknown) => error,
};

const pairs: Readonly<Record<string, () => StreamPair>> = {
  memoryPair,
  "socketpair()": () => {
    const [a, b] = socketpair();
    return [new SocketStream(a), new SocketStream(b)];
  },
};

for (const [kind, makePair] of Object.entries(pairs))
  for (const { name, run } of checkByteStream(() => {
    const [a, b] = makePair();
    return [new ServedStream(a, watch), b];
  }))
    test(`ServedStream over ${kind}: ${name}`, run);
