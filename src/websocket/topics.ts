// Topics in one process: what is published to one goes to everybody who has subscribed to it. A message is framed once, and
// compressed once for those who take that, and all connections send the same bytes. It knows connections of servers; other
// processes are topic-bus.ts's.
//
// Why a subscriber that is too slow is closed. Its bytes wait in memory, those of thousands at once, so there is a
// limit. What comes beyond it can be dropped, and the subscriber goes on with a hole that it does not know of; or it is
// closed (1013, come again later), comes again, and begins with what is true now. NATS does the same, and so it is the default.

import { invalidArgument, outOfRange } from "../wire/misuse.ts";
import { SHARED_BYTES_MIN, compressShared } from "./compression.ts";
import type { WebSocketConnection } from "./connection.ts";
import { CLOSE_TRY_AGAIN } from "./syntax/frames.ts";
import { TopicBridge } from "./topic-bus.ts";
import type { TopicBus, TopicBusEvent } from "./topic-bus.ts";
import { WebSocketWriter } from "./writer.ts";

/** What becomes of a subscriber that is too slow. */
export type SlowPolicy = "close" | "drop";

/** What Topics may be told. */
export interface TopicsOptions {
  /** Bytes that may wait for one subscriber; the message that would be more is not sent to it. Default 1 MiB. */
  readonly bufferedBytesMax?: number | undefined;
  /** Who is slower is closed with 1013, or misses that message. Default "close". */
  readonly slow?: SlowPolicy | undefined;
  /** Told of each message that a subscriber misses. */
  readonly onSlow?: ((socket: WebSocketConnection, topic: string) => void) | undefined;
  /** Carries what is published to the subscribers of other processes, and back. Default: there are none. */
  readonly bus?: TopicBus | undefined;
  /** Bytes that may wait for the bus; the message that would be more stays in this process. Default 16 MiB. */
  readonly busBytesMax?: number | undefined;
  /** Told when the bus is lost and back, and what stayed in this process. Default: a warning, of the first failure alone. */
  readonly onBus?: ((event: TopicBusEvent) => void) | undefined;
}

const BUFFERED_BYTES_MAX = 1_048_576;
const BUS_BYTES_MAX = 16_777_216;

/** What one subscriber has subscribed to. */
interface Subscriber {
  readonly topics: Set<string>;
  readonly forget: () => void;
}

/** Topics, and who has subscribed to them. Any number of them side by side. */
export class Topics {
  readonly #bufferedBytesMax: number;
  readonly #closes: boolean;
  readonly #onSlow: ((socket: WebSocketConnection, topic: string) => void) | undefined;
  readonly #topics: Map<string, Set<WebSocketConnection>> = new Map();
  readonly #subscribers: Map<WebSocketConnection, Subscriber> = new Map();
  readonly #bridge: TopicBridge | undefined;

  /** @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE. */
  constructor(options: TopicsOptions = {}) {
    const { bufferedBytesMax = BUFFERED_BYTES_MAX, slow = "close", onSlow } = options;
    if (typeof bufferedBytesMax !== "number")
      throw invalidArgument("options.bufferedBytesMax", "a number", bufferedBytesMax);
    if (!(bufferedBytesMax >= 0)) throw outOfRange("options.bufferedBytesMax", "0 or more", bufferedBytesMax);
    if (slow !== "close" && slow !== "drop") throw invalidArgument("options.slow", '"close" or "drop"', slow);
    if (onSlow !== undefined && typeof onSlow !== "function")
      throw invalidArgument("options.onSlow", "a function", onSlow);
    this.#bufferedBytesMax = bufferedBytesMax;
    this.#closes = slow === "close";
    this.#onSlow = onSlow;
    this.#bridge = this.#bridgeTo(options);
  }

  #bridgeTo({ bus, busBytesMax = BUS_BYTES_MAX, onBus }: TopicsOptions): TopicBridge | undefined {
    if (typeof busBytesMax !== "number")
      throw invalidArgument("options.busBytesMax", "a number", busBytesMax);
    if (!(busBytesMax >= 0)) throw outOfRange("options.busBytesMax", "0 or more", busBytesMax);
    if (onBus !== undefined && typeof onBus !== "function")
      throw invalidArgument("options.onBus", "a function", onBus);
    if (bus === undefined) return undefined;
    if (typeof bus?.publish !== "function") throw invalidArgument("options.bus", "a TopicBus", bus);
    const deliver = (topic: string, message: string | Uint8Array): void => void this.#deliver(topic, message);
    return new TopicBridge({ bus, bytesMax: busBytesMax, tell: onBus ?? warnOnce(), deliver });
  }

  /** Subscribes, until unsubscribe() or the end of the connection. Again: does nothing. */
  subscribe(socket: WebSocketConnection, topic: string): void {
    if (!socket.isServer) throw invalidArgument("socket", "a server's WebSocketConnection", socket);
    if (!socket.isOpen) return;
    let subscriber = this.#subscribers.get(socket);
    if (subscriber === undefined) {
      const forget = socket.onOver(() => this.#leave(socket));
      this.#subscribers.set(socket, (subscriber = { topics: new Set(), forget }));
    }
    subscriber.topics.add(topic);
    const subscribed = this.#topics.get(topic);
    if (subscribed === undefined) {
      this.#topics.set(topic, new Set([socket]));
      this.#bridge?.join(topic);
    } else subscribed.add(socket);
  }

  /** Unsubscribes from a topic. Who has not subscribed does nothing. */
  unsubscribe(socket: WebSocketConnection, topic: string): void {
    const subscriber = this.#subscribers.get(socket);
    if (subscriber?.topics.delete(topic) !== true) return;
    this.#remove(socket, topic);
    if (subscriber.topics.size > 0) return;
    subscriber.forget();
    this.#subscribers.delete(socket);
  }

  /** Resolves when the bus, if there is one, listens to all topics of now, or has failed to, which was told. */
  async settled(): Promise<void> {
    await this.#bridge?.settled();
  }

  /** How many have subscribed to a topic in this process. */
  count(topic: string): number {
    return this.#topics.get(topic)?.size ?? 0;
  }

  /** All topics that somebody has subscribed to in this process. */
  topics(): IterableIterator<string> {
    return this.#topics.keys();
  }

  /**
   * Sends a message to all who have subscribed to a topic. The first of a turn of the event loop leaves at once, others
   * together behind it. Other processes get it by the bus, once each; nobody waits for that.
   *
   * @param message  text, or bytes, which are copied.
   * @param except   one who does not get it: mostly the one whose message it was.
   * @returns how many it was sent to in this process.
   * @throws {TypeError} ERR_INVALID_ARG_TYPE.
   */
  publish(topic: string, message: string | Uint8Array, except?: WebSocketConnection): number {
    if (typeof message !== "string" && !(message instanceof Uint8Array))
      throw invalidArgument("message", "a string or a Uint8Array", message);
    this.#bridge?.publish(topic, message);
    return this.#deliver(topic, message, except);
  }

  #deliver(topic: string, message: string | Uint8Array, except?: WebSocketConnection): number {
    const subscribed = this.#topics.get(topic);
    if (subscribed === undefined) return 0;
    const plain = frameOf(message);
    let smaller: Uint8Array | undefined;
    let count = 0;
    let slow: WebSocketConnection[] | undefined;
    for (const socket of subscribed) {
      if (socket === except || !socket.isOpen) continue;
      let frame = plain;
      if (plain.length >= SHARED_BYTES_MIN && socket.takesShared) frame = smaller ??= smallerFrameOf(message);
      if (socket.bufferedBytes + frame.length > this.#bufferedBytesMax) {
        (slow ??= []).push(socket);
        continue;
      }
      socket.sendPrepared(frame);
      count++;
    }
    if (slow !== undefined) this.#tooSlow(slow, topic);
    return count;
  }

  #tooSlow(sockets: readonly WebSocketConnection[], topic: string): void {
    // First what the policy says of all, then what a program does, which may throw.
    if (this.#closes)
      for (const socket of sockets) {
        this.#leave(socket);
        void socket.close(CLOSE_TRY_AGAIN, "too slow");
      }
    for (const socket of sockets) this.#onSlow?.(socket, topic);
  }

  #leave(socket: WebSocketConnection): void {
    const subscriber = this.#subscribers.get(socket);
    if (subscriber === undefined) return;
    subscriber.forget();
    this.#subscribers.delete(socket);
    for (const topic of subscriber.topics) this.#remove(socket, topic);
  }

  #remove(socket: WebSocketConnection, topic: string): void {
    const subscribed = this.#topics.get(topic);
    subscribed?.delete(socket);
    if (subscribed?.size !== 0) return;
    this.#topics.delete(topic);
    this.#bridge?.leave(topic);
  }
}

function warnOnce(): (event: TopicBusEvent) => void {
  let told = false;
  return (event) => {
    if (event.type !== "failed" || told) return;
    told = true;
    process.emitWarning(`Topics: the bus failed (${event.doing}), and may again: ${String(event.error)}`);
  };
}

/** In memory of its own: it may wait for the slowest of many. */
function frameOf(message: string | Uint8Array): Uint8Array {
  const writer = new WebSocketWriter({ from: "server" });
  if (typeof message === "string") writer.text(message);
  else writer.binary(message);
  return Buffer.concat(writer.takePieces());
}

function smallerFrameOf(message: string | Uint8Array): Uint8Array {
  const isText = typeof message === "string";
  const writer = new WebSocketWriter({ from: "server", compression: true });
  writer.compressed(isText, compressShared(isText ? Buffer.from(message) : message));
  return Buffer.concat(writer.takePieces());
}
