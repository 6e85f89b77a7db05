// Topics: who gets what, that bytes are shared, that nobody who left is remembered, and what becomes of the slow.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Topics } from "berkeley/websocket";
import type { WebSocketConnection } from "berkeley/websocket";
import { memorySockets, serving, turns, untilClosed } from "./serving.ts";

/** Subscribes to what the client says, until it is gone. */
function subscribing(topics: Topics) {
  return (socket: WebSocketConnection): Promise<void> =>
    socket.each((message) => {
      const [verb, topic = ""] = String(message).split(" ");
      if (verb === "subscribe") topics.subscribe(socket, topic);
      else topics.unsubscribe(socket, topic);
      return socket.send(verb === "subscribe" ? "subscribed" : "unsubscribed");
    });
}

async function ask(socket: WebSocketConnection, words: string): Promise<void> {
  await socket.send(words);
  await socket.receive();
}

async function heard(socket: WebSocketConnection): Promise<string | Buffer | undefined> {
  return (await socket.receive()).value;
}

test("publish() sends to all who have subscribed, and to nobody else", async () => {
  const topics = new Topics();
  await using at = await serving(subscribing(topics));
  const sockets = await Promise.all([at.connect(), at.connect(), at.connect()]);
  const [one, two, three] = sockets;
  await ask(one, "subscribe a");
  await ask(one, "subscribe a");
  await ask(two, "subscribe a");
  await ask(two, "subscribe b");
  await ask(three, "subscribe b");
  assert.deepEqual([...topics.topics()], ["a", "b"]);
  assert.equal(topics.publish("a", "to a"), 2);
  assert.equal(topics.publish("b", Buffer.from("to b")), 2);
  assert.equal(topics.publish("c", "to nobody"), 0);
  assert.equal(await heard(one), "to a");
  assert.equal(await heard(two), "to a");
  assert.deepEqual(await heard(two), Buffer.from("to b"));
  assert.deepEqual(await heard(three), Buffer.from("to b"));
  await ask(two, "unsubscribe a");
  await ask(two, "unsubscribe a");
  assert.equal(topics.count("a"), 1);
  await Promise.all(sockets.map((socket) => socket.close()));
  await turns();
  assert.deepEqual([...topics.topics()], []);
  assert.equal(topics.publish("a", "x"), 0);
});

test("publish() forgets who is gone without a Close, and leaves out the one it is told to", async () => {
  const topics = new Topics();
  const server: WebSocketConnection[] = [];
  await using at = await serving((socket) => {
    server.push(socket);
    topics.subscribe(socket, "a");
    return untilClosed(socket);
  });
  const one = await at.connect();
  await using two = await at.connect();
  while (server.length < 2) await turns(1);
  assert.equal(topics.publish("a", "but not to the first", server[0]), 1);
  assert.equal(await heard(two), "but not to the first");
  const [first] = server as [WebSocketConnection];
  one.terminate();
  await first.closed;
  assert.equal(topics.count("a"), 1);
  topics.subscribe(first, "a");
  assert.equal(topics.count("a"), 1);
});

test("publish() gives all connections the same bytes, compressed once for those who take that", async () => {
  const topics = new Topics();
  const handle = (socket: WebSocketConnection): Promise<void> => {
    topics.subscribe(socket, "a");
    return untilClosed(socket);
  };
  const options = { compression: { serverNoContextTakeover: true } };
  const all = await Promise.all([
    memorySockets(handle, options),
    memorySockets(handle, options),
    memorySockets(handle),
    memorySockets(handle),
    memorySockets(handle, { compression: { serverNoContextTakeover: false } }),
  ]);
  const sent: Uint8Array[] = [];
  for (const [index, { far }] of all.entries()) {
    const sendAll = far.sendAll.bind(far);
    far.sendAll = (data, more) => {
      sent[index] ??= data as Uint8Array;
      return sendAll(data, more);
    };
  }
  const text = "all the same ".repeat(200);
  assert.equal(topics.publish("a", text), 5);
  for (const { client } of all) assert.equal(await heard(client), text);
  const [one, two, three, four, five] = sent;
  assert.ok(one === two && three === four && four === five);
  assert.ok(one !== undefined && three !== undefined && one.length < 200 && three.length > text.length);
  for (const pair of all) await pair[Symbol.asyncDispose]();
});

for (const slow of ["close", "drop"] as const)
  test(`publish() bounds what waits for a slow subscriber: ${slow}`, async () => {
    const missed: string[] = [];
    const topics = new Topics({ bufferedBytesMax: 100_000, slow, onSlow: (_, topic) => missed.push(topic) });
    let server: WebSocketConnection | undefined;
    await using at = await memorySockets((socket) => {
      server = socket;
      topics.subscribe(socket, "a");
      return untilClosed(socket);
    });
    await turns();
    const message = Buffer.alloc(10_000);
    let taken = 0;
    for (let count = 0; count < 100; count++) {
      taken += topics.publish("a", message);
      if (count % 10 === 0) await turns(1);
    }
    assert.ok(server !== undefined && server.bufferedBytes <= 110_000);
    assert.ok(taken >= 9 && taken < 20, `${taken} were taken`);
    if (slow === "drop") {
      assert.equal(missed.length, 100 - taken);
      assert.equal(topics.count("a"), 1);
    } else {
      assert.deepEqual(missed, ["a"]);
      assert.equal(topics.count("a"), 0);
    }
    for (let count = 0; count < taken; count++) assert.equal((await heard(at.client))?.length, 10_000);
    if (slow === "close") {
      assert.equal(await heard(at.client), undefined);
      assert.deepEqual(await at.client.closed, { code: 1013, reason: "too slow", isClean: true });
    } else {
      assert.equal(topics.publish("a", "caught up"), 1);
      assert.equal(await heard(at.client), "caught up");
    }
  });

test("publish() keeps the order of all that is sent, also where a socket takes a part of it", async () => {
  const topics = new Topics({ bufferedBytesMax: 100_000_000 });
  const servers: WebSocketConnection[] = [];
  await using at = await serving((socket) => {
    servers.push(socket);
    topics.subscribe(socket, "a");
    return untilClosed(socket);
  });
  await using client = await at.connect({ limits: { frameBytesMax: 1e7, messageBytesMax: 1e7 } });
  while (servers.length === 0) await turns(1);
  const [server] = servers as [WebSocketConnection];
  const expected: string[] = [];
  for (let round = 0; round < 30; round++) {
    for (const [size, name] of [
      [10, "first"],
      [400_000, "large"],
      [10, "own"],
      [10, "last"],
    ] as const) {
      const text = `${name} of ${round} `.padEnd(size, "*");
      expected.push(text);
      if (name === "own") void server.send(text);
      else topics.publish("a", text);
    }
    if (round % 3 === 0) await turns(1);
  }
  assert.ok(server.bufferedBytes > 1_000_000, `${server.bufferedBytes} bytes wait`);
  for (const text of expected) assert.ok((await heard(client)) === text, text.slice(0, 20));
  assert.equal(server.bufferedBytes, 0);
});

test("publish() bounds what waits behind a message that is being compressed", async () => {
  const topics = new Topics({ bufferedBytesMax: 100_000, slow: "drop" });
  let server: WebSocketConnection | undefined;
  await using at = await memorySockets(
    (socket) => {
      server = socket;
      topics.subscribe(socket, "a");
      return untilClosed(socket);
    },
    { compression: { serverNoContextTakeover: false } },
  );
  await turns();
  assert.ok(server !== undefined && server.compresses);
  // Its stream of zlib's takes its time; what follows waits behind it.
  const first = "0123456789".repeat(1000);
  void server.send(first);
  assert.equal(server.bufferedBytes, 10_000);
  const message = Buffer.alloc(10_000);
  let taken = 0;
  for (let count = 0; count < 100; count++) taken += topics.publish("a", message);
  assert.equal(taken, 8);
  assert.ok(server.bufferedBytes <= 100_000, `${server.bufferedBytes} bytes wait`);
  assert.equal(await heard(at.client), first);
  for (let count = 0; count < taken; count++) assert.deepEqual(await heard(at.client), message);
  await turns();
  assert.equal(server.bufferedBytes, 0);
});

test("Topics refuses what is no option, no message, and a client's connection", async () => {
  for (const [options, code] of [
    [{ bufferedBytesMax: -1 }, "ERR_OUT_OF_RANGE"],
    [{ bufferedBytesMax: "1" }, "ERR_INVALID_ARG_TYPE"],
    [{ slow: "wait" }, "ERR_INVALID_ARG_TYPE"],
    [{ onSlow: 1 }, "ERR_INVALID_ARG_TYPE"],
  ] as const)
    assert.throws(() => new Topics(options as never), { code });
  const topics = new Topics();
  assert.throws(() => topics.publish("a", 1 as never), { code: "ERR_INVALID_ARG_TYPE" });
  await using at = await serving();
  await using socket = await at.connect();
  assert.throws(() => topics.subscribe(socket, "a"), { code: "ERR_INVALID_ARG_TYPE" });
});
