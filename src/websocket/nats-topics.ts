// Topics over NATS, by its official client: a TopicBus of a connection that the program has made. The client's package is the
// program's; here is only what is needed of it.

import { invalidArgument } from "../wire/misuse.ts";
import { busName } from "./syntax/bus-message.ts";
import type { TopicBus } from "./topic-bus.ts";

/** What natsTopics() needs of a NatsConnection, which has it. */
export interface NatsConnectionLike {
  publish(subject: string, payload: Uint8Array): void;
  subscribe(
    subject: string,
    options: { callback: (error: Error | null, message: { readonly data: Uint8Array }) => void },
  ): { unsubscribe(): void };
  flush(): Promise<void>;
  status(): AsyncIterable<{ readonly type: string }>;
}

/** What busses may be told. */
export interface TopicNameOptions {
  /** What stands before each topic at the broker. Default "berkeley". Letters, digits, "-", "_", and "." between them. */
  readonly prefix?: string | undefined;
}

const PREFIX_DEFAULT = "berkeley";

/** @internal @throws {TypeError} ERR_INVALID_ARG_TYPE. */
export function checkPrefix({ prefix = PREFIX_DEFAULT }: TopicNameOptions): string {
  if (typeof prefix !== "string" || !/^[\w-]+(\.[\w-]+)*$/.test(prefix))
    throw invalidArgument(
      "options.prefix",
      "words of letters, digits, - and _ with dots between them",
      prefix,
    );
  return prefix;
}

/**
 * Topics over NATS. The connection stays the program's, which closes it.
 *
 * A message counts as taken when a PING behind it was answered; one PING serves all that were published meanwhile.
 *
 * @example
 * import { connect } from "@nats-io/transport-node";
 * const connection = await connect({ servers: "nats://broker:4222", maxReconnectAttempts: -1 });
 * const topics = new Topics({ bus: natsTopics(connection) });
 * @throws {TypeError} ERR_INVALID_ARG_TYPE.
 */
export function natsTopics(connection: NatsConnectionLike, options: TopicNameOptions = {}): TopicBus {
  if (typeof connection?.publish !== "function" || typeof connection.flush !== "function")
    throw invalidArgument("connection", "a NatsConnection", connection);
  const prefix = checkPrefix(options);
  const subjectOf = (topic: string): string => `${prefix}.${busName(topic)}`;
  const flush = batched(() => connection.flush());
  return {
    publish(topic, message) {
      connection.publish(subjectOf(topic), message);
      return flush();
    },
    subscribe(topic, listener) {
      const subscription = connection.subscribe(subjectOf(topic), {
        callback: (error, received) =>
          error === null ? listener.message(received.data) : listener.failed(error),
      });
      return {
        // A connection that is lost meanwhile subscribes again by itself; a refusal comes to the callback.
        active: flush().catch(() => {}),
        unsubscribe: () => subscription.unsubscribe(),
      };
    },
    watch(listener) {
      void watch(connection.status(), listener).catch(() => listener(false));
    },
  };
}

async function watch(
  status: AsyncIterable<{ readonly type: string }>,
  listener: (isConnected: boolean) => void,
): Promise<void> {
  for await (const { type } of status)
    if (type === "disconnect" || type === "reconnect") listener(type === "reconnect");
}

/** Of calls while one is under way, the next one serves all. */
function batched(call: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const begin = (): Promise<void> => {
    next = undefined;
    return (running = call().finally(() => (running = undefined)));
  };
  return () => {
    if (running === undefined) return begin();
    return (next ??= running.then(begin, begin));
  };
}
