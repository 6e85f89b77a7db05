// One round of faults, from its seed: a server, a proxy that does harm, clients behind it that see their streams in every
// way there is; and whether everybody came to an end. What is lost on the network itself it does not know.

import assert from "node:assert/strict";
import { setTimeout as pass } from "node:timers/promises";
import { SO_SNDBUF, SOL_SOCKET, socket } from "berkeley";
import { ServerError, serve } from "berkeley/server";
import type { Server, ServerStats } from "berkeley/server";
import { connectTcp, fromDuplex, fromWeb, listenTcp, toDuplex, toWeb } from "berkeley/stream";
import type { ByteStream, SocketStream } from "berkeley/stream";
import { Random } from "../support/random.ts";
import { CLIENTS, answer, ask, assertFault } from "./questions.ts";
import { HARMS, rudeProxy } from "./rude-proxy.ts";

/** Somewhere in here the harm is done. */
const HARM_BYTES_MAX = 100_000;
/** On a network that loses packets: who has waited so long waits no longer. */
const LOST_MS = 15_000;
/** What has not settled after so long never will. */
const SETTLE_MS_MAX = 60_000;

/** How a client sees its stream. */
const WRAPS: Readonly<Record<string, (stream: SocketStream) => ByteStream>> = {
  itself: (stream) => stream,
  "a Duplex and back": (stream) => fromDuplex(toDuplex(stream, { allowHalfOpen: true })),
  "web streams and back": (stream) => fromWeb(toWeb(stream)),
};

/** Whether everything comes to its end in time. */
async function settled<T>(work: Promise<T>, what: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`never settled: ${what()}`)), SETTLE_MS_MAX);
  });
  return await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** Stops a server that has received so many bytes, or serves nobody any more, and gives its handlers no time. */
async function stopInTheMidst(
  server: Server<SocketStream>,
  bytes: number,
  ended: { readonly all: boolean },
): Promise<void> {
  for (;;) {
    if (ended.all || server.stats().bytesReceived >= bytes) break;
    await pass(1);
  }
  await server.shutdown({ deadlineMs: 0 });
}

/**
 * A server with its clients, and the harm that is done to them.
 *
 * @param lossy  the network loses packets: a reset may get lost, and then only time tells that the peer is gone.
 * @returns what became of the connections, when nobody waits any more.
 */
export async function faultRound(seed: number, lossy: boolean = false): Promise<ServerStats> {
  const random = new Random(seed);
  const listener = await listenTcp("127.0.0.1");
  const { localAddress } = listener;
  /** In some rounds nobody may be idle, in some the server stops in the midst. */
  const impatient = random.onceIn(4);
  const stops = random.onceIn(5);
  const failures: unknown[] = [];
  const server = serve(listener, answer, {
    connectionsMax: 1 + random.below(CLIENTS),
    idleTimeoutMs: impatient ? 20 : lossy ? LOST_MS : Infinity,
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
    const aborts = random.onceIn(6);
    const stop = new AbortController();
    const tooLong = new DOMException("waited too long", "TimeoutError");
    const timer = lossy ? setTimeout(() => stop.abort(tooLong), LOST_MS) : undefined;
    const own = new Random(random.below(2 ** 31));
    state.set(key, `client ${key} over ${how}`);
    let stream: ByteStream | undefined;
    try {
      stream = wrap(await connectTcp("127.0.0.1", port, { signal: stop.signal }));
      if (aborts) setTimeout(() => stop.abort(), own.below(20)).unref();
      await ask(stream, key, own, stop.signal);
    } catch (error) {
      const harmless = harmful.length === 1 && !impatient && !stops && !aborts;
      if (harmless && !lossy) throw error;
      assertFault(error);
    } finally {
      clearTimeout(timer);
      stream?.close();
      state.delete(key);
    }
  };
  {
    await using proxy = rudeProxy(random, connect, () => random.pick(harmful), HARM_BYTES_MAX);
    const clients = Array.from({ length: CLIENTS }, (_, key) => client(key, proxy.port));
    const ended = { all: false };
    const stopping = stops ? stopInTheMidst(server, 1 + random.below(2 * HARM_BYTES_MAX), ended) : undefined;
    await settled(Promise.all(clients), () => [...state.values()].join(", "));
    ended.all = true;
    await stopping;
  }
  // Whoever the handlers spoke with is gone.
  const report = await settled(server.shutdown({ deadlineMs: 5_000 }), () => "handlers");
  if (!lossy) assert.equal(report.aborted, 0);
  assert.equal(report.abandoned, 0);
  await server.finished;
  for (const error of failures) if (!(error instanceof ServerError)) assertFault(error);
  const { accepted, active, finished, failed, timedOut, aborted, refused } = server.stats();
  assert.deepEqual([active, refused], [0, 0]);
  assert.equal(finished + failed + timedOut + aborted, accepted);
  assert.equal(failures.length, failed);
  return server.stats();
}
