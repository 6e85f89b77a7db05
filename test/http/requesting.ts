// A client of HTTP over connections in memory, whose other ends a test plays byte by byte.

import { HttpClient } from "berkeley/http";
import type { ClientOptions } from "berkeley/http";
import { BufferedReader, memoryPair } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { latin1 } from "./parsing.ts";

/** The server's end of one connection. */
export class Played {
  readonly stream: ByteStream;
  readonly #reader: BufferedReader;

  constructor(stream: ByteStream) {
    this.stream = stream;
    this.#reader = new BufferedReader(stream);
  }

  /** The next head that the client sends, with its empty line. */
  async head(): Promise<string> {
    const head = await this.#reader.readUntil("\r\n\r\n");
    if (head === undefined) throw new Error("the client has ended");
    return head.toString("latin1");
  }

  /** So many bytes that it sends. */
  async bytes(count: number): Promise<string> {
    return (await this.#reader.readExactly(count)).toString("latin1");
  }

  /** Sends text of which each character is one byte. */
  async send(text: string): Promise<void> {
    await this.stream.sendAll(latin1(text));
  }

  /** Receives a head and sends this. */
  async answer(text: string): Promise<string> {
    const head = await this.head();
    await this.send(text);
    return head;
  }

  /** Waits until the client has closed it, dropping what it sends. */
  async closed(): Promise<void> {
    try {
      while ((await this.#reader.readSome()).length > 0);
    } catch {
      // Closed with bytes on their way: a reset.
    }
  }
}

/** A client and the other ends of its connections. */
export interface Playing extends AsyncDisposable {
  readonly client: HttpClient;
  /** The next connection that the client makes. */
  accept(): Promise<Played>;
  /** How many it has made. */
  readonly made: number;
}

/** Starts one. */
export function playing(options: ClientOptions = {}): Playing {
  const ready: Played[] = [];
  const waiting: ((played: Played) => void)[] = [];
  let made = 0;
  const client = new HttpClient({
    connect: async () => {
      made++;
      const [ours, theirs] = memoryPair();
      const played = new Played(theirs);
      const next = waiting.shift();
      if (next === undefined) ready.push(played);
      else next(played);
      return await Promise.resolve(ours);
    },
    ...options,
  });
  return {
    client,
    accept: async () => ready.shift() ?? (await new Promise<Played>((resolve) => waiting.push(resolve))),
    get made() {
      return made;
    },
    async [Symbol.asyncDispose]() {
      client.close();
    },
  };
}

/** A whole answer with a length. */
export function answer(content: string, lines: string = "", status: string = "200 OK"): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${content.length}\r\n${lines}\r\n${content}`;
}
