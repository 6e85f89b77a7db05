import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatProgress, formatSeconds } from "#dist/cli/progress.js";

for (const [bytes, text] of [
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 KiB"],
  [1024, "1.0 KiB"],
  [10_188, "9.9 KiB"],
  [10_189, "10 KiB"],
  [1_022_000, "998 KiB"],
  [1_048_576, "1.0 MiB"],
  [5e9, "4.7 GiB"],
  [5e15, "4547 TiB"],
] as const)
  test(`formatBytes() writes ${bytes} as ${text}`, () => assert.equal(formatBytes(bytes), text));

for (const [seconds, text] of [
  [0, "0:00"],
  [6.6, "0:07"],
  [59.6, "1:00"],
  [754, "12:34"],
  [3599, "59:59"],
  [3600, "1:00:00"],
  [3723, "1:02:03"],
] as const)
  test(`formatSeconds() writes ${seconds} as ${text}`, () => assert.equal(formatSeconds(seconds), text));

const MIB = 1_048_576;
for (const [what, transfer, text] of [
  [
    "half of a file",
    { bytes: 12 * MIB, before: 0, total: 24 * MIB, elapsedMs: 4000 },
    "[############            ]  50 %  12 MiB of 24 MiB  3.0 MiB/s  0:04 left",
  ],
  [
    "a file that was there in part",
    { bytes: 18 * MIB, before: 12 * MIB, total: 24 * MIB, elapsedMs: 2000 },
    "[##################      ]  75 %  18 MiB of 24 MiB  3.0 MiB/s  0:02 left",
  ],
  [
    "all of it",
    { bytes: 2 * MIB, before: 0, total: 2 * MIB, elapsedMs: 1000 },
    "[########################] 100 %  2.0 MiB of 2.0 MiB  2.0 MiB/s",
  ],
  [
    "what has no total",
    { bytes: 2048, before: 0, total: undefined, elapsedMs: 2000 },
    "2.0 KiB  1.0 KiB/s  0:02",
  ],
  [
    "the very beginning",
    { bytes: 0, before: 0, total: 10, elapsedMs: 0 },
    "[                        ]   0 %  0 B of 10 B  0 B/s",
  ],
] as const)
  test(`formatProgress() writes ${what}`, () => assert.equal(formatProgress(transfer), text));
