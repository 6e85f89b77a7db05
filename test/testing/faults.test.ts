// Networks that fail at random, each from its seed: resets, half-closes, stalls, partitions, loss, crashes. Every
// promise settles, no byte is lost, doubled or changed without an error, and no socket is left.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SHUT_WR, SocketError, create_connection, create_server } from "berkeley";
import type { Socket } from "berkeley";
import { simulate } from "berkeley/testing";
import type { SimulatedNetwork } from "berkeley/testing";
import { pattern } from "../support/pair.ts";
import { disturb } from "./disturb.ts";

/** FUZZ_ROUNDS asks for more; CI runs a thousand. */
const SEEDS = Number(process.env["FUZZ_ROUNDS"] ?? 50);
const CLIENTS = 4;
/** For so long things go wrong; then all is mended, and everybody comes to an end. */
const CHAOS_MS = 30_000;

const BYTES_MAX = 60_000;
/** What a client with this key sends. The answer has each byte plus one, and so is the next key's question. */
const questions = Array.from({ length: CLIENTS + 1 }, (_, key) => pattern(BYTES_MAX, key));

/** Whether a failure is one that a network brings about; everything else is a bug. */
function isFault(error: unknown): boolean {
  return (
    error instanceof SocketError &&
    ["ECONNRESET", "EPIPE", "ETIMEDOUT", "ECONNREFUSED", "ENETDOWN", "ENOTCONN", "ECANCELED"].includes(
      error.code,
    )
  );
}

async function orFault(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isFault(error)) throw error;
  }
}

/** Answers each byte with the next one until the peer ends; then says so by its own end. */
async function answer(conn: Socket, network: SimulatedNetwork): Promise<void> {
  await using held = conn;
  held.settimeout(3600);
  for (;;) {
    const data = await held.recv(1 + network.random.below(20_000));
    if (data.length === 0) return held.shutdown(SHUT_WR);
    if (network.random.chance(0.1)) await network.sleep(network.random.below(3000)); // stalls
    for (let at = 0; at < data.length; at++) data[at] = ((data[at] as number) + 1) & 255;
    await held.sendall(data);
  }
}

/** Sends, half-closes, and checks the answer byte by byte; an end before all of it came is only in order after an error. */
async function ask(conn: Socket, key: number, network: SimulatedNetwork): Promise<void> {
  await using held = conn;
  held.settimeout(3600);
  const total = 1 + network.random.below(BYTES_MAX);
  const [question, expected] = [questions[key], questions[key + 1]] as [Buffer, Buffer];
  const sending = (async (): Promise<void> => {
    for (let sent = 0; sent < total; ) {
      const size = Math.min(total - sent, 1 + network.random.below(9000));
      await held.sendall(question.subarray(sent, sent + size));
      sent += size;
      if (network.random.chance(0.2)) await network.sleep(network.random.below(500));
    }
    held.shutdown(SHUT_WR);
  })();
  const receiving = (async (): Promise<void> => {
    let received = 0;
    for (;;) {
      const data = await held.recv(1 + network.random.below(30_000));
      const end = received + data.length;
      assert.ok(end <= total, "more came back than was sent");
      assert.ok(
        data.equals(expected.subarray(received, end)),
        `bytes ${received} to ${end} are not what was sent`,
      );
      received = end;
      if (data.length > 0) continue;
      assert.equal(received, total, "the end came too early and without an error");
      return;
    }
  })();
  for (const result of await Promise.allSettled([sending, receiving]))
    if (result.status === "rejected") throw result.reason as Error;
}

async function life(network: SimulatedNetwork): Promise<void> {
  const { random } = network;
  const home = network.host("server");
  const clients = [network.host("first"), network.host("second")];
  const handlers = new Set<Promise<void>>();
  let server: Socket | undefined;
  const over = new AbortController();
  const serving = (async (): Promise<void> => {
    while (!over.signal.aborted) {
      server = home.run(() => create_server(["", 80]));
      try {
        for (;;) {
          const [conn] = await server.accept();
          const handler = orFault(answer(conn, network)).finally(() => handlers.delete(handler));
          handlers.add(handler);
        }
      } catch (error) {
        if (!isFault(error)) throw error; // the host went down, or all is over
        server.close();
        await network.sleep(100);
      }
    }
  })();
  const asking = Array.from({ length: CLIENTS }, async (_, key) => {
    const host = random.pick(clients);
    do {
      await network.sleep(random.below(3000));
      const talk = host.run(() => create_connection([home.address, 80]));
      await orFault(talk.then((conn) => ask(conn, key, network)));
    } while (network.now < CHAOS_MS);
  });
  await disturb(network, [home, ...clients], CHAOS_MS);
  await Promise.all(asking);
  // Nothing fails any more: a conversation now comes to its end.
  const last = await clients[0]?.run(() => create_connection([home.address, 80]));
  await ask(last as Socket, 0, network);
  over.abort();
  server?.close();
  await serving;
  await Promise.all(handlers);
}

test(`${SEEDS} networks that fail at random: everybody comes to an end, and no byte is lost without an error`, async () => {
  const only = process.env["BERKELEY_SEED"];
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, seed) => seed) : [Number(only)];
  for (const seed of seeds) await simulate(life, { seed });
});
