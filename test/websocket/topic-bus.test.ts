// Topics across processes: over NATS and Redis, as they are, lost and back; and a bus that fails, hangs or brings rubbish.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Redis } from "ioredis";
import { Topics, TopicBusError, natsTopics, redisTopics } from "berkeley/websocket";
import type { BusListener, TopicBus, TopicBusEvent, WebSocketConnection } from "berkeley/websocket";
import { busName, readBusMessage, writeBusMessage } from "#dist/websocket/syntax/bus-message.js";
import { folder } from "../support/files.ts";
import { NATS, connectNats } from "../support/nats.ts";
import type { NatsConnection } from "../support/nats.ts";
import { requirePeer } from "../support/peers.ts";
import { isStopped, start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { serving } from "./serving.ts";
import type { Serving } from "./serving.ts";

const REDIS = requirePeer("redis-server");

/** What brokers could take for something else, and what is no text to them. */
const HOSTILE = [
  "",
  " ",
  "a.b",
  "*",
  ">",
  "a.>",
  "grüße 🙂",
  "\r\nPUB x 1\r\n",
  "\0",
  "\ud800",
  "\ufffd",
  "=",
  "x".repeat(100_000),
  "x".repeat(100_001),
];

test("busName() gives each topic a name of its own that is a word", () => {
  const names = HOSTILE.concat("=20", "=h", "h", "a=b").map(busName);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^[\w=-]{1,201}$/);
  assert.equal(busName("news"), "news");
});

test("readBusMessage() reads what was written, and nothing else", () => {
  const mark = Buffer.alloc(16, 7);
  for (const message of ["", "grüße", Buffer.alloc(0), Buffer.from([0xff, 0])]) {
    const written = writeBusMessage(mark, message);
    assert.deepEqual(readBusMessage(written), { mark, message });
    for (let cut = 0; cut < 17; cut++) assert.equal(readBusMessage(written.subarray(0, cut)), undefined);
  }
  const broken = writeBusMessage(mark, "x");
  broken[17] = 0xff;
  assert.equal(readBusMessage(broken), undefined);
  broken[0] = 0;
  assert.equal(readBusMessage(broken), undefined);
});

/** One process, as far as topics are concerned: its server, and what its bus told. */
interface Process extends AsyncDisposable {
  readonly topics: Topics;
  readonly events: TopicBusEvent[];
  readonly at: Serving;
  /** A client that has subscribed to these topics. */
  subscriber(...names: readonly string[]): Promise<WebSocketConnection>;
  /** Waits for an event. */
  told(type: TopicBusEvent["type"]): Promise<TopicBusEvent>;
}

async function processWith(bus: TopicBus, busBytesMax?: number): Promise<Process> {
  const events: TopicBusEvent[] = [];
  const waiting = new Set<() => void>();
  const onBus = (event: TopicBusEvent): void => {
    events.push(event);
    for (const wake of waiting) wake();
  };
  const topics = new Topics({ bus, busBytesMax, onBus });
  const at = await serving((socket) =>
    socket.each(async (message) => {
      for (const topic of JSON.parse(String(message)) as string[]) topics.subscribe(socket, topic);
      await topics.settled();
      await socket.send("subscribed");
    }),
  );
  return {
    topics,
    events,
    at,
    async subscriber(...names) {
      const socket = await at.connect();
      await socket.send(JSON.stringify(names));
      assert.equal((await socket.receive()).value, "subscribed");
      return socket;
    },
    async told(type) {
      for (;;) {
        const index = events.findIndex((event) => event.type === type);
        if (index >= 0) return events.splice(index, 1)[0] as TopicBusEvent;
        await new Promise<void>((resolve) => {
          const wake = (): void => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    [Symbol.asyncDispose]: () => at[Symbol.asyncDispose](),
  };
}

/** A broker that runs, and how to have a bus of it. */
interface Broker extends AsyncDisposable {
  bus(): Promise<TopicBus>;
  /** Ends it and starts it again at the same place. */
  restart(): Promise<void>;
  readonly child: Child;
}

async function startNats(): Promise<Broker> {
  const begin = (port: string): Child => start(NATS.path, ["-a", "127.0.0.1", "-p", port]);
  let child = begin("-1");
  const [, port = ""] = await child.line(/client connections on 127\.0\.0\.1:(\d+)/, "stderr");
  const connections: NatsConnection[] = [];
  return {
    get child() {
      return child;
    },
    async bus() {
      const connection = await connectNats(port);
      connections.push(connection);
      return natsTopics(connection, { prefix: "test.topics" });
    },
    async restart() {
      await child[Symbol.asyncDispose]();
      child = begin(port);
      await child.line(/Server is ready/, "stderr");
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(connections.map((connection) => connection.close()));
      await child[Symbol.asyncDispose]();
    },
  };
}

async function startRedis(): Promise<Broker> {
  const place = folder();
  const path = place.path("redis");
  const words = ["--port", "0", "--unixsocket", path, "--save", "", "--dir", place.path(".")];
  const begin = async (): Promise<Child> => {
    const child = start(REDIS.path, words);
    await child.line(/ready to accept connections|The server is now ready/i);
    return child;
  };
  let child = await begin();
  const connections: Redis[] = [];
  return {
    get child() {
      return child;
    },
    async bus() {
      const publisher = new Redis(path, { retryStrategy: () => 20, lazyConnect: true });
      const subscriber = publisher.duplicate();
      for (const redis of [publisher, subscriber]) {
        redis.on("error", () => {});
        connections.push(redis);
        await redis.connect();
      }
      return redisTopics(publisher, subscriber);
    },
    async restart() {
      await child[Symbol.asyncDispose]();
      child = await begin();
    },
    async [Symbol.asyncDispose]() {
      for (const redis of connections) redis.disconnect();
      await child[Symbol.asyncDispose]();
      place[Symbol.dispose]();
    },
  };
}

for (const [name, begin, { skip }] of [
  ["natsTopics()", startNats, NATS],
  ["redisTopics()", startRedis, REDIS],
] as const) {
  test(`${name} carries each message to the subscribers of other processes, once, by hostile names too`, {
    skip,
  }, async () => {
    await using broker = await begin();
    await using one = await processWith(await broker.bus());
    await using two = await processWith(await broker.bus());
    const here = await one.subscriber(...HOSTILE);
    const there = await two.subscriber(...HOSTILE);
    const also = await two.subscriber("a.b");
    for (const [index, topic] of HOSTILE.entries()) {
      assert.equal(one.topics.publish(topic, `text ${index} grüße`), 1);
      assert.equal(one.topics.publish(topic, Buffer.from([index, 0xff])), 1);
    }
    one.topics.publish("elsewhere", "nobody");
    for (const socket of [here, there])
      for (const index of HOSTILE.keys()) {
        assert.equal((await socket.receive()).value, `text ${index} grüße`);
        assert.deepEqual((await socket.receive()).value, Buffer.from([index, 0xff]));
      }
    two.topics.publish("a.b", "back");
    for (const socket of [here, there]) assert.equal((await socket.receive()).value, "back");
    assert.equal((await also.receive()).value, "text 2 grüße");
    await also.receive();
    assert.equal((await also.receive()).value, "back");
    assert.deepEqual([one.events, two.events], [[], []]);
    // Who has left hears nothing: of what comes behind, the first is the first that is heard.
    await there.close();
    await two.at.connect();
    const again = await two.subscriber("a.b");
    one.topics.publish("a.b", "for who is there");
    assert.equal((await again.receive()).value, "for who is there");
  });

  test(`${name} tells that the broker is lost and back, and carries on`, { skip }, async () => {
    await using broker = await begin();
    await using one = await processWith(await broker.bus());
    await using two = await processWith(await broker.bus());
    const there = await two.subscriber("news");
    await broker.restart();
    for (const side of [one, two]) {
      await side.told("lost");
      await side.told("back");
    }
    await two.subscriber("other"); // the broker answers it behind what was subscribed again
    one.topics.publish("news", "after");
    assert.equal((await there.receive()).value, "after");
  });

  test(`${name} keeps no publisher waiting while the broker stands still, and no more than busBytesMax`, {
    skip,
  }, async () => {
    await using broker = await begin();
    await using one = await processWith(await broker.bus(), 1_000_000);
    await using two = await processWith(await broker.bus());
    const here = await one.subscriber("news");
    const there = await two.subscriber("news");
    broker.child.kill("SIGSTOP");
    // The signal is on its way: a thread that still runs would take one more.
    while (!isStopped(broker.child.pid)) await new Promise((resolve) => setImmediate(resolve));
    const message = "x".repeat(100_000);
    for (let count = 0; count < 15; count++) {
      assert.equal(one.topics.publish("news", message), 1);
      assert.equal((await here.receive()).value, message);
    }
    const refused = one.events.map((event) => event.type === "failed" && event.error);
    assert.equal(refused.length, 6);
    for (const error of refused)
      assert.ok(error instanceof TopicBusError && error.code === "ERR_TOPIC_BUS_SLOW", String(error));
    broker.child.kill("SIGCONT");
    for (let count = 0; count < 9; count++) assert.equal((await there.receive()).value, message);
    one.topics.publish("news", "in time");
    assert.equal((await there.receive()).value, "in time");
  });
}

test("publish() and subscribe() go on when the bus throws, rejects or brings rubbish, and tell it", async () => {
  const heard: BusListener[] = [];
  let fails = "throws";
  const fail = (): Promise<void> => {
    if (fails === "throws") throw new Error("thrown");
    return Promise.reject(new Error("rejected"));
  };
  const bus: TopicBus = {
    publish: () => fail(),
    subscribe(_topic, listener) {
      heard.push(listener);
      return {
        active: fail(),
        unsubscribe: () => void fail().catch((error: unknown) => listener.failed(error)),
      };
    },
    watch() {},
  };
  await using one = await processWith(bus);
  for (const how of ["throws", "rejects"]) {
    fails = how;
    const socket = await one.subscriber(how);
    assert.equal(one.topics.publish(how, "here"), 1);
    assert.equal((await socket.receive()).value, "here");
    heard.at(-1)?.message(Buffer.from("rubbish"));
    heard.at(-1)?.message(writeBusMessage(Buffer.alloc(16), "from there"));
    assert.equal((await socket.receive()).value, "from there");
    const told = one.events
      .splice(0)
      .map((event) => (event.type === "failed" ? `${event.doing} ${String(event.error)}` : event.type));
    const what = how === "throws" ? "thrown" : "rejected";
    assert.deepEqual(told.toSorted(), [
      `publish Error: ${what}`,
      "receive TopicBusError: what came was written by no Topics",
      `subscribe Error: ${what}`,
    ]);
  }
});

test("Topics, natsTopics() and redisTopics() refuse what they cannot use", () => {
  const wrong = { code: "ERR_INVALID_ARG_TYPE" };
  assert.throws(() => new Topics({ bus: {} as never }), wrong);
  assert.throws(() => new Topics({ onBus: 1 as never }), wrong);
  assert.throws(() => new Topics({ busBytesMax: "1" as never }), wrong);
  assert.throws(() => new Topics({ busBytesMax: -1 }), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => natsTopics({} as never), wrong);
  const nats = { publish() {}, subscribe() {}, flush() {}, status() {} } as never;
  for (const prefix of ["", "a b", "a.", "*", ">"]) assert.throws(() => natsTopics(nats, { prefix }), wrong);
  const redis = { publish() {}, on() {} } as never;
  assert.throws(() => redisTopics(redis, redis), wrong);
  assert.throws(() => redisTopics(redis, undefined as never), wrong);
});
