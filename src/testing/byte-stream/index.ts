// checkByteStream(): every promise of the ByteStream interface as a check by name, for whatever makes a pair of streams
// and whatever runs tests. The checks themselves are beside; this file makes the pairs and closes them.

import { ending } from "./ending.ts";
import { receiving } from "./receiving.ts";
import { sending } from "./sending.ts";
import { randomFrom } from "./support.ts";
import type { StreamPair } from "./support.ts";

export type { StreamPair } from "./support.ts";

/** One promise of the interface. */
export interface ByteStreamCheck {
  /** What is promised: "close() fails what waits with ECANCELED". */
  readonly name: string;
  /** Makes a pair, puts the promise to it and closes both. Rejects with an AssertionError when it was broken. */
  readonly run: () => Promise<void>;
}

/** What checkByteStream takes last. */
export interface ByteStreamCheckOptions {
  /**
   * Bytes that may be on the way in one direction before sendAll waits for who does not receive. Default 64 MiB: more than
   * the buffers of two sockets grow to, net.ipv4.tcp_rmem and tcp_wmem.
   */
  bufferedBytesMax?: number | undefined;
  /** Bytes of the checks that carry much. Default 2 MiB. */
  transferBytes?: number | undefined;
  /** For cuts and races; a failure names it. Default another one each time. */
  seed?: number | undefined;
}

/**
 * The promises of ByteStream, as checks to be run one by one:
 *
 * ```ts
 * for (const { name, run } of checkByteStream(makePair)) test(`TLS: ${name}`, run);
 * ```
 *
 * @param makePair  gives two ends of a fresh connection: the one under test and its peer. Both are closed after the check.
 * @returns checks that do not depend on each other, for any test runner.
 */
export function checkByteStream(
  makePair: () => StreamPair | Promise<StreamPair>,
  options: ByteStreamCheckOptions = {},
): readonly ByteStreamCheck[] {
  const { bufferedBytesMax = 64 << 20, transferBytes = 2 << 20 } = options;
  const { seed = Math.floor(Math.random() * 2 ** 31) } = options;
  return Object.entries({ ...receiving, ...sending, ...ending }).map(([name, check]) => ({
    name,
    async run(): Promise<void> {
      const pair = await makePair();
      try {
        await check(pair, { bufferedBytesMax, transferBytes, random: randomFrom(seed) });
      } catch (error) {
        if (error instanceof Error) error.message += ` [seed ${seed}]`;
        throw error;
      } finally {
        for (const end of pair) end.close();
      }
    },
  }));
}
