// Topics across processes and machines: what one of them publishes, a broker carries to the others. Here is what a broker has to
// be able to do (TopicBus), and the bridge between one and the Topics of this process. It knows no broker (nats-topics.ts,
// redis-topics.ts) and no subscriber (topics.ts).
//
// Who publishes never waits: subscribers here have the message at once, and what the broker has not taken yet counts
// against a limit. Beyond it, or while the broker is away, a message reaches this process alone, and that is told. Brokers
// that keep nothing (NATS, Redis) deliver at most once in any case; who must miss nothing asks a store when it is "back".

import { randomBytes } from "node:crypto";
import { MARK_BYTES, readBusMessage, writeBusMessage } from "./syntax/bus-message.ts";

/** Carries messages between processes. natsTopics() and redisTopics() make some; topics may be any text. */
export interface TopicBus {
  /** Settles when the broker has the message, or will not get it. */
  publish(topic: string, message: Uint8Array): Promise<void>;
  /** Begins to listen to a topic. */
  subscribe(topic: string, listener: BusListener): BusSubscription;
  /** Tells from now on when the connection is lost and when it is there again, with all subscriptions. */
  watch(listener: (isConnected: boolean) => void): void;
}

/** Hears one topic. */
export interface BusListener {
  /** What anybody has published, this process too. The bytes are the bus's again when it returns. */
  message(bytes: Uint8Array): void;
  /** The subscription has ended, or could not be ended. */
  failed(error: unknown): void;
}

/** One subscription at a broker. */
export interface BusSubscription {
  /** Settles when it is in effect, or will not be. */
  readonly active: Promise<void>;
  unsubscribe(): void;
}

/** What is told of a bus. */
export type TopicBusEvent =
  /** Its connection is lost: what others publish until "back" is missed. */
  | { readonly type: "lost" }
  | { readonly type: "back" }
  /** A message or a topic stayed in this process. */
  | {
      readonly type: "failed";
      readonly doing: "publish" | "receive" | "subscribe";
      readonly topic: string;
      readonly error: unknown;
    };

/**
 * Why a message goes no further than this process. ERR_TOPIC_BUS_SLOW: more than busBytesMax wait for the broker.
 * ERR_TOPIC_BUS_MESSAGE: what came from it was written by no Topics.
 */
export class TopicBusError extends Error {
  static {
    TopicBusError.prototype.name = "TopicBusError";
  }
  readonly code: "ERR_TOPIC_BUS_SLOW" | "ERR_TOPIC_BUS_MESSAGE";

  /** @internal */
  constructor(code: TopicBusError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** What a bridge stands between. */
interface Ends {
  readonly bus: TopicBus;
  /** Bytes that may wait for the broker. */
  readonly bytesMax: number;
  readonly tell: (event: TopicBusEvent) => void;
  /** Gives a message to the subscribers of this process. */
  readonly deliver: (topic: string, message: string | Uint8Array) => void;
}

/** Between a bus and the topics of this process. */
export class TopicBridge {
  readonly #ends: Ends;
  readonly #mark: Buffer = randomBytes(MARK_BYTES);
  readonly #subscriptions: Map<string, BusSubscription> = new Map();
  #waitingBytes = 0;

  constructor(ends: Ends) {
    this.#ends = ends;
    ends.bus.watch((isConnected) => ends.tell({ type: isConnected ? "back" : "lost" }));
  }

  /** Somebody here has subscribed to a topic, the first one. */
  join(topic: string): void {
    try {
      const subscription = this.#ends.bus.subscribe(topic, {
        message: (bytes) => this.#receive(topic, bytes),
        failed: (error) => this.#failed("subscribe", topic, error),
      });
      this.#subscriptions.set(topic, subscription);
      subscription.active.catch((error: unknown) => this.#failed("subscribe", topic, error));
    } catch (error) {
      this.#failed("subscribe", topic, error);
    }
  }

  /** The last one has gone. */
  leave(topic: string): void {
    const subscription = this.#subscriptions.get(topic);
    this.#subscriptions.delete(topic);
    try {
      subscription?.unsubscribe();
    } catch (error) {
      this.#failed("subscribe", topic, error);
    }
  }

  /** Resolves when all subscriptions of now are in effect, or have failed, which was told. */
  async settled(): Promise<void> {
    await Promise.allSettled([...this.#subscriptions.values()].map(({ active }) => active));
  }

  /** Passes a message on to the other processes. */
  publish(topic: string, message: string | Uint8Array): void {
    const bytes = writeBusMessage(this.#mark, message);
    const { bus, bytesMax } = this.#ends;
    if (this.#waitingBytes + bytes.length > bytesMax) {
      const text = `${this.#waitingBytes} bytes wait for the broker, and may be ${bytesMax}`;
      this.#failed("publish", topic, new TopicBusError("ERR_TOPIC_BUS_SLOW", text));
      return;
    }
    this.#waitingBytes += bytes.length;
    const settle = (): void => void (this.#waitingBytes -= bytes.length);
    const fail = (error: unknown): void => {
      settle();
      this.#failed("publish", topic, error);
    };
    try {
      bus.publish(topic, bytes).then(settle, fail);
    } catch (error) {
      fail(error);
    }
  }

  #receive(topic: string, bytes: Uint8Array): void {
    const read = readBusMessage(bytes);
    if (read === undefined) {
      const error = new TopicBusError("ERR_TOPIC_BUS_MESSAGE", "what came was written by no Topics");
      this.#failed("receive", topic, error);
      return;
    }
    // Who is subscribed here had it when it was published.
    if (this.#mark.equals(read.mark)) return;
    try {
      this.#ends.deliver(topic, read.message);
    } catch (error) {
      this.#failed("receive", topic, error);
    }
  }

  #failed(doing: "publish" | "receive" | "subscribe", topic: string, error: unknown): void {
    this.#ends.tell({ type: "failed", doing, topic, error });
  }
}
