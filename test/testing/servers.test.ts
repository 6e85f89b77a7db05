// Servers as they are on a simulated network: their times are of its clock, and a seed gives the same run again.

import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { serve as serveHttp } from "berkeley/http";
import { behindProxy, serve } from "berkeley/server";
import type { Handler, ServeOptions, Server } from "berkeley/server";
import { connectTcp, listenTcp, toDuplex } from "berkeley/stream";
import type { SocketStream } from "berkeley/stream";
import { simulate } from "berkeley/testing";
import type { SimulatedNetwork } from "berkeley/testing";
import { startTimer, stopTimer } from "#dist/engine/clock.js";
import { ask, echo, readAll, until } from "../server/support.ts";

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** A server at home, and the way to it from another host. */
async function served(
  network: SimulatedNetwork,
  handler: Handler<SocketStream>,
  options: ServeOptions<SocketStream> = {},
): Promise<{ server: Server<SocketStream>; connect: () => Promise<SocketStream> }> {
  const [home, away] = [network.host("home"), network.host("away")];
  const server = await home.run(async () => serve(await listenTcp(home.address, 80), handler, options));
  return { server, connect: () => away.run(() => connectTcp(home.address, 80)) };
}

const codeOf = (error: unknown): string => (error as { readonly code: string }).code;

/** One client that speaks every 54 minutes and one that does not, where an hour without a word is too long. */
async function idling(network: SimulatedNetwork): Promise<string[]> {
  const log: string[] = [];
  const { server, connect } = await served(
    network,
    async (stream, { id }) => {
      try {
        await echo(stream);
        log.push(`${network.now} ${id} ended`);
      } catch (error) {
        log.push(`${network.now} ${id} ${codeOf(error)}`);
        throw error;
      }
    },
    { idleTimeoutMs: HOUR_MS },
  );
  network.link(network.host("home"), network.host("away"), { latencyMs: 40, jitterMs: 30, loss: 0.1 });
  const silent = await connect();
  const talks = await connect();
  await ask(silent, "hello");
  const told = network.now;
  const seen = silent.receiveSome().then(({ length }) => log.push(`${network.now} told the end: ${length}`));
  for (let round = 0; round < 10; round++) {
    await network.sleep(54 * MINUTE_MS);
    await ask(talks, "x".repeat(1 + network.random.below(1000)));
    log.push(`${network.now} answered`);
  }
  await talks.closeWrite();
  assert.equal(await readAll(talks), "");
  await seen;
  for (const client of [silent, talks]) client.close();
  await server.shutdown();
  const at = Number(log.find((line) => line.endsWith("1 ERR_IDLE_TIMEOUT"))?.split(" ")[0]);
  // The last sign of life was when the server sent its answer, shortly before this was told.
  assert.ok(at > HOUR_MS && at <= told + HOUR_MS, `ended at ${at}`);
  assert.ok(log.some((line) => line.endsWith("2 ended")));
  const { accepted, finished, timedOut } = server.stats();
  assert.deepEqual([accepted, finished, timedOut], [2, 1, 1]);
  return log;
}

test("serve() ends who is idle for an hour of a simulated network's time, and the same seed gives the same run", async () => {
  const run = (seed: number): Promise<string[]> => simulate(idling, { seed });
  const first = await run(1);
  assert.deepEqual(await run(1), first);
  assert.notDeepEqual(await run(2), first);
});

test("serve() ends a connection that lasts longer than a week of a simulated network's time", async () => {
  await simulate(async (network) => {
    const week = 7 * 24 * HOUR_MS;
    const { server, connect } = await served(network, echo, { totalTimeoutMs: week });
    const client = await connect();
    const begun = network.now;
    let rounds = 0;
    await assert.rejects(async () => {
      for (; ; rounds++) {
        await ask(client, "still here");
        await network.sleep(MINUTE_MS);
      }
    });
    assert.ok(network.now - begun >= week && network.now - begun < week + 2 * MINUTE_MS, `${network.now} ms`);
    assert.ok(rounds > 10_000);
    client.close();
    await server.shutdown();
    assert.equal(server.stats().timedOut, 1);
  });
});

test("shutdown() gives handlers an hour of a simulated network's time, and no more", async () => {
  await simulate(async (network) => {
    const { server, connect } = await served(
      network,
      async (stream) => {
        const word = (await stream.receiveSome()).toString();
        await stream.sendAll(word);
        if (word === "soon") await network.sleep(HOUR_MS / 2);
        else await stream.receiveSome();
      },
      { idleTimeoutMs: Infinity },
    );
    const [soon, never] = [await connect(), await connect()];
    assert.equal(await ask(soon, "soon"), "soon");
    assert.equal(await ask(never, "never"), "never");
    const begun = network.now;
    const report = await server.shutdown({ deadlineMs: HOUR_MS });
    assert.deepEqual(report, { completed: 1, aborted: 1, abandoned: 0 });
    assert.equal(network.now - begun, HOUR_MS);
    for (const client of [soon, never]) client.close();
  });
});

test("serve() waits for the peer's end an hour of a simulated network's time when not all was received", async () => {
  await simulate(async (network) => {
    const { server, connect } = await served(
      network,
      async (stream) => {
        await stream.receiveSome(1);
        await stream.sendAll("enough");
      },
      { lingerTimeoutMs: HOUR_MS },
    );
    const client = await connect();
    await client.sendAll("hello");
    assert.equal(await readAll(client), "enough");
    await network.sleep(59 * MINUTE_MS);
    assert.equal(server.stats().active, 1);
    await network.sleep(2 * MINUTE_MS);
    assert.equal(server.stats().active, 0);
    client.close();
    await server.shutdown();
  });
});

test("a call that a handler left behind begins no timer of its connection anew", async () => {
  await simulate(async (network) => {
    const { server, connect } = await served(
      network,
      (stream) => {
        stream.receiveSome().catch(() => undefined);
      },
      { idleTimeoutMs: MINUTE_MS, lingerTimeoutMs: 0 },
    );
    const client = await connect();
    assert.equal(await readAll(client), "");
    client.close();
    await network.sleep(HOUR_MS);
    await server.shutdown();
    const { finished, timedOut } = server.stats();
    assert.deepEqual([finished, timedOut], [1, 0]);
  });
});

test("behindProxy() waits ten minutes of a simulated network's time for the header", async () => {
  await simulate(async (network) => {
    const errors: unknown[] = [];
    const handler = behindProxy<SocketStream>(echo, {
      trusted: ["10.0.0.0/8"],
      headerTimeoutMs: 10 * MINUTE_MS,
    });
    const onError = (error: unknown): void => void errors.push(`${network.now} ${codeOf(error)}`);
    const { server, connect } = await served(network, handler, { onError, idleTimeoutMs: HOUR_MS });
    network.link(network.host("home"), network.host("away"), { latencyMs: 0 });
    const client = await connect();
    await client.sendAll("PROXY TCP4");
    assert.equal(await readAll(client), "");
    assert.deepEqual(errors, [`${10 * MINUTE_MS} ERR_PROXY_TIMEOUT`]);
    client.close();
    await server.shutdown();
  });
});

test("behindProxy() and serve() wait as long as it takes where they are told so", async () => {
  await simulate(async (network) => {
    const handler = behindProxy<SocketStream>(
      async (stream) => {
        await stream.sendAll("ready");
        await stream.receiveSome(1);
      },
      { trusted: ["10.0.0.0/8"], headerTimeoutMs: Infinity },
    );
    const { server, connect } = await served(network, handler, {
      idleTimeoutMs: Infinity,
      lingerTimeoutMs: Infinity,
    });
    const client = await connect();
    await network.sleep(24 * HOUR_MS);
    await client.sendAll("PROXY UNKNOWN\r\n");
    assert.equal((await client.receiveSome()).toString(), "ready");
    await client.sendAll("hello");
    assert.equal(await readAll(client), "");
    await network.sleep(24 * HOUR_MS);
    assert.equal(server.stats().active, 1);
    client.close();
    await server.shutdown();
    assert.equal(server.stats().finished, 1);
  });
});

test("serve() of berkeley/http keeps a connection for an hour of a simulated network's time, and no longer", async () => {
  await simulate(async (network) => {
    const [home, away] = [network.host("home"), network.host("away")];
    const server = await home.run(() =>
      serveHttp({
        host: home.address,
        port: 80,
        keepAliveTimeoutMs: HOUR_MS,
        handle: (request, reply) => reply.send(200, undefined, request.path),
      }),
    );
    const client = await away.run(() => connectTcp(home.address, 80));
    let text = "";
    for (const path of ["/first", "/second"]) {
      await client.sendAll(`GET ${path} HTTP/1.1\r\nHost: home\r\n\r\n`);
      for (text = ""; !text.endsWith(path); ) text += (await client.receiveSome()).toString();
      assert.match(text, /^HTTP\/1\.1 200 /);
      if (path === "/first") await network.sleep(59 * MINUTE_MS);
    }
    const begun = network.now;
    assert.equal(await readAll(client), "");
    const waited = network.now - begun;
    assert.ok(waited > HOUR_MS - MINUTE_MS && waited < HOUR_MS + MINUTE_MS, `${waited} ms`);
    client.close();
    await server.shutdown();
  });
});

test("toDuplex() emits its timeout by the simulated network's clock", async () => {
  await simulate(async (network) => {
    const { server, connect } = await served(network, echo);
    const duplex = toDuplex(await connect());
    const begun = network.now;
    duplex.setTimeout(HOUR_MS / 20);
    await once(duplex, "timeout");
    assert.equal(network.now - begun, HOUR_MS / 20);
    duplex.destroy();
    await once(duplex, "close");
    await server.shutdown();
  });
});

test("startTimer() calls back once, later when it begins anew, and not at all once it is stopped", async () => {
  await simulate(async (network) => {
    const called: number[] = [];
    const timer = startTimer(1000, () => called.push(network.now));
    const stopped = startTimer(1000, () => called.push(-1));
    await network.sleep(600);
    timer.refresh();
    stopTimer(stopped);
    await network.sleep(5000);
    assert.deepEqual(called, [1600]);
    timer.refresh();
    await network.sleep(5000);
    assert.deepEqual(called, [1600, 6600]);
    stopTimer(timer);
    stopTimer(undefined);
  });
});

test("startTimer() outside of a simulation calls back by the machine's clock", async () => {
  const called: string[] = [];
  const stopped = startTimer(1, () => called.push("stopped"));
  stopTimer(stopped);
  const begun = performance.now();
  startTimer(2, () => called.push("on time")).ref();
  await until(() => called.length > 0);
  assert.deepEqual(called, ["on time"]);
  assert.ok(performance.now() - begun >= 1);
});
