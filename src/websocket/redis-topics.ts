// Topics over the PUBLISH and SUBSCRIBE of Redis, by ioredis: a TopicBus of two connections that the program has made, for one that
// has subscribed can do nothing else. The package is the program's; here is only what is needed of it.

import { invalidArgument } from "../wire/misuse.ts";
import { checkPrefix } from "./nats-topics.ts";
import type { TopicNameOptions } from "./nats-topics.ts";
import { busName } from "./syntax/bus-message.ts";
import type { BusListener, TopicBus } from "./topic-bus.ts";

/** What redisTopics() needs of a Redis of ioredis, which has it. */
export interface RedisLike {
  readonly status: string;
  publish(channel: string, message: Buffer): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  on(event: "messageBuffer", listener: (channel: Buffer, message: Buffer) => void): unknown;
  on(event: "ready" | "close", listener: () => void): unknown;
}

/**
 * Topics over Redis. The connections stay the program's, which closes them.
 *
 * @param publisher   publishes, and may do anything else.
 * @param subscriber  another connection: `publisher.duplicate()`.
 * @example
 * import { Redis } from "ioredis";
 * const redis = new Redis("redis://broker");
 * const topics = new Topics({ bus: redisTopics(redis, redis.duplicate()) });
 * @throws {TypeError} ERR_INVALID_ARG_TYPE.
 */
export function redisTopics(
  publisher: RedisLike,
  subscriber: RedisLike,
  options: TopicNameOptions = {},
): TopicBus {
  for (const [name, redis] of Object.entries({ publisher, subscriber }))
    if (typeof redis?.publish !== "function" || typeof redis.on !== "function")
      throw invalidArgument(name, "a Redis of ioredis", redis);
  if (publisher === subscriber)
    throw invalidArgument("subscriber", "another connection than the publisher", subscriber);
  const prefix = checkPrefix(options);
  const listeners = new Map<string, Set<BusListener>>();
  subscriber.on("messageBuffer", (channel, message) => {
    for (const listener of listeners.get(channel.toString("latin1")) ?? []) listener.message(message);
  });
  return {
    async publish(topic, message) {
      await publisher.publish(
        `${prefix}:${busName(topic)}`,
        Buffer.from(message.buffer, message.byteOffset, message.length),
      );
    },
    subscribe(topic, listener) {
      const channel = `${prefix}:${busName(topic)}`;
      const others = listeners.get(channel);
      if (others === undefined) listeners.set(channel, new Set([listener]));
      else others.add(listener);
      return {
        active: settled(subscriber.subscribe(channel)),
        unsubscribe() {
          const left = listeners.get(channel);
          left?.delete(listener);
          if (left?.size !== 0) return;
          listeners.delete(channel);
          subscriber.unsubscribe(channel).catch((error: unknown) => listener.failed(error));
        },
      };
    },
    watch(listener) {
      const both = [publisher, subscriber];
      let wasConnected = both.every(({ status }) => status === "ready");
      const look = (): void => {
        const isConnected = both.every(({ status }) => status === "ready");
        if (isConnected === wasConnected) return;
        wasConnected = isConnected;
        listener(isConnected);
      };
      for (const redis of both) {
        redis.on("ready", look);
        redis.on("close", look);
      }
    },
  };
}

async function settled(promise: Promise<unknown>): Promise<void> {
  await promise;
}
