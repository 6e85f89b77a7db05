// Faults on the real loopback, each round from its seed: resets, ends in the midst, stalls, aborts, a server that stops,
// through serve(), streams and every adapter. Every promise settles, no byte is lost, doubled or changed without an error,
// and no descriptor is left.
//
// FUZZ_SEED replays the round with that seed; FUZZ_ROUNDS makes so many of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SO_SNDBUF, SOL_SOCKET, socket } from "berkeley";
import { ServerError, serve } from "berkeley/server";
import type { Server, ServerStats } from "berkeley/server";
import { connectTcp, frames, fromDuplex, fromWeb, listenTcp, toDuplex, toWeb } from "berkeley/stream";
import type { ByteStream, SocketStream } from "berkeley/stream";
import { lengthPrefixed } from "berkeley/wire";
import { openSockets, pattern } from "../support/pair.ts";
import { Random } from "../support/random.ts";
import { HARMS, rudeProxy } from "./rude-proxy.ts";
import { until } from "./support.ts";

const ROUNDS = Number(process.env["FUZZ_ROUNDS"] ?? (process.env["FUZZ_SEED"] === undefined ? 100 : 1));
const CLIENTS = 6;
const QUESTIONS_MAX = 12;
const QUESTION_BYTES_MAX = 30_000;
/** Somewhere in here the harm is done. */
const HARM_BYTES_MAX = 100_000;
/** What has not settled after so long never will. */
const SETTLE_MS_MAX = 60_000;

const FRAMING = lengthPrefixed({ frameBytesMax: QUESTION_BYTES_MAX });
/** A client's questions. The answer has each byte plus one, and so is the next client's question. */
const questions = Array.from({ length: CLIENTS + 1 }, (_, key) => pattern(QUESTION_BYTES_MAX, key));

/** The peer ended between two frames, where more were to come. */
class Cut extends Error {
  readonly code = "ERR_CUT";
}

/** What a connection that was done harm may fail with. */
const FAULTS: ReadonlySet<unknown> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ECANCELED",
  "ECONNREFUSED",
  "ERR_CUT",
  "ERR_UNEXPECTED_EOF",
  "ERR_IDLE_TIMEOUT",
  "ERR_SERVER_STOPPED",
  "ABORT_ERR",
]);

function assertFault(error: unknown): void {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (name !== "AbortError" && !FAULTS.has(code)) throw error;
}

/** How a client sees its stream. */
const WRAPS: Readonly<Record<string, (stream: SocketStream) => ByteStream>> = {
  itself: (stream) => stream,
  "a Duplex and back": (stream) => fromDuplex(toDuplex(stream, { allowHalfOpen: true })),
  "web streams and back": (stream) => fromWeb(toWeb(stream)),
};

/** Answers each frame, each byte plus one, until the peer ends. */
async function answer(stream: ByteStream): Promise<void> {
  for await (const question of frames(stream, FRAMING.decoder())) {
    const bytes = Uint8Array.from(question, (byte) => byte + 1);
    await stream.sendAll(FRAMING.encode(bytes));
  }
}

/** Asks and checks every answer; resolves when all came and the server has ended. */
async function ask(stream: ByteStream, key: number, random: Random, signal?: AbortSignal): Promise<void> {
  const sizes = Array.from({ length: 1 + random.below(QUESTIONS_MAX) }, () =>
    random.below(QUESTION_BYTES_MAX),
  );
  const [question, expected] = [questions[key], questions[key + 1]] as [Buffer, Buffer];
  const sending = (async (): Promise<void> => {
    for (const size of sizes) await stream.sendAll(FRAMING.encode(question.subarray(0, size)), { signal });
    await stream.closeWrite({ signal });
  })();
  const receiving = (async (): Promise<void> => {
    let count = 0;
    for await (const frame of frames(stream, FRAMING.decoder(), { signal })) {
      const size = sizes[count++];
      assert.ok(size !== undefined, "more answers than questions");
      assert.ok(expected.subarray(0, size).equals(frame), `answer ${count} is not what was asked`);
    }
    if (count < sizes.length) throw new Cut(`${count} of ${sizes.length} answers came`);
  })();
  for (const result of await Promise.allSettled([sending, receiving]))
    if (result.status === "rejected") throw result.reason as Error;
}

/** Whether everything comes to its end in time. */
async function settled<T>(work: Promise<T>, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`never settled: ${what()}`)), SETTLE_MS_MAX);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Stops a server that has received so many bytes, or serves nobody any more, and gives its handlers no time. */
async function stopInTheMidst(server: Server<SocketStream>, bytes: number): Promise<void> {
  await until(() => {
    const { accepted, active, bytesReceived } = server.stats();
    return bytesReceived >= bytes || (accepted === CLIENTS && active === 0);
  });
  await server.shutdown({ deadlineMs: 0 });
}

/** A server with its clients, and the harm that is done to them. */
async function round(seed: number): Promise<ServerStats> {
  const random = new Random(seed);
  const before = openSockets();
  const listener = await listenTcp("127.0.0.1");
  const { localAddress } = listener;
  /** In some rounds nobody may be idle, in some the server stops in the midst. */
  const impatient = random.onceIn(4);
  const stops = random.onceIn(5);
  const failures: unknown[] = [];
  const server = serve(listener, answer, {
    connectionsMax: 1 + random.below(CLIENTS),
    idleTimeoutMs: impatient ? 20 : Infinity,
    onError: (error) => failures.push(error),
  });
  const harmful = random.onceIn(4) ? (["none"] as const) : HARMS;
  const connect = async (): Promise<ReturnType<typeof socket>> => {
    const made = socket();
    try {
      // Little is on the way, so that who does not receive is felt at the other end.
      made.setsockopt(SOL_SOCKET, SO_SNDBUF, 16_384);
      await made.connect(localAddress as [string, number]);
      return made;
    } catch (error) {
      made.close();
      throw error;
    }
  };
  const state = new Map<number, string>();
  const client = async (key: number, port: number): Promise<void> => {
    const [how, wrap] = random.pick(Object.entries(WRAPS));
    const stop = random.onceIn(6) ? new AbortController() : undefined;
    const own = new Random(random.below(2 ** 31));
    state.set(key, `client ${key} over ${how}`);
    let stream: ByteStream | undefined;
    try {
      stream = wrap(await connectTcp("127.0.0.1", port));
      if (stop !== undefined) setTimeout(() => stop.abort(), own.below(20)).unref();
      await ask(stream, key, own, stop?.signal);
    } catch (error) {
      if (harmful.length === 1 && !impatient && !stops && stop === undefined) throw error;
      assertFault(error);
    } finally {
      stream?.close();
      state.delete(key);
    }
  };
  {
    await using proxy = rudeProxy(random, connect, () => random.pick(harmful), HARM_BYTES_MAX);
    const clients = Array.from({ length: CLIENTS }, (_, key) => client(key, proxy.port));
    const stopping = stops ? stopInTheMidst(server, 1 + random.below(2 * HARM_BYTES_MAX)) : undefined;
    await settled(Promise.all(clients), () => [...state.values()].join(", "));
    await stopping;
  }
  // Whoever the handlers spoke with is gone.
  const report = await settled(server.shutdown({ deadlineMs: 5_000 }), () => "handlers");
  assert.deepEqual([report.aborted, report.abandoned], [0, 0]);
  await server.finished;
  for (const error of failures) if (!(error instanceof ServerError)) assertFault(error);
  const { accepted, active, finished, failed, timedOut, aborted, refused } = server.stats();
  assert.deepEqual([active, refused], [0, 0]);
  assert.equal(finished + failed + timedOut + aborted, accepted);
  assert.equal(failures.length, failed);
  assert.deepEqual(openSockets(), before, "descriptors that are left");
  return server.stats();
}

test(`${ROUNDS} rounds of faults on the loopback: everybody comes to an end, and no byte is lost without an error`, async (t) => {
  const first = Number(process.env["FUZZ_SEED"] ?? 0);
  const sums = { accepted: 0, finished: 0, failed: 0, timedOut: 0, aborted: 0 };
  for (let seed = first; seed < first + ROUNDS; seed++) {
    const stats = await round(seed).catch((error: unknown) => {
      throw new Error(`FUZZ_SEED=${seed}: ${(error as Error).message}`, { cause: error });
    });
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += stats[name];
  }
  t.diagnostic(JSON.stringify(sums));
  // The harm was done: everything that can become of a connection has become of some.
  if (ROUNDS >= 100) for (const [name, count] of Object.entries(sums)) assert.ok(count > 0, name);
});
