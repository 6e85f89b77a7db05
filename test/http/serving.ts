// A server of HTTP and clients that speak to it in raw bytes. It knows how to run them, not what is asked.

import { ResponseParser, serve } from "berkeley/http";
import type { HttpServeOptions } from "berkeley/http";
import type { Server } from "berkeley/server";
import { connectTcp } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { NEED_DATA } from "berkeley/wire";
import { latin1 } from "./parsing.ts";

/** A response as a client has it. */
export interface Answer {
  readonly status: number;
  readonly fields: Readonly<Record<string, string>>;
  /** Each character is one byte. */
  readonly text: string;
  readonly trailers: [string, string][];
  readonly keepAlive: boolean;
  /** Informational responses before it. */
  readonly before: number[];
}

/** A client over a stream, which sends what it is told and parses what it gets. */
export class RawClient implements AsyncDisposable {
  readonly stream: ByteStream;
  readonly parser: ResponseParser = new ResponseParser();

  constructor(stream: ByteStream) {
    this.stream = stream;
  }

  /** Sends text of which each character is one byte. */
  async send(text: string): Promise<void> {
    await this.stream.sendAll(latin1(text));
  }

  /** The next response. @param method  of the request that it answers. */
  async answer(method: string = "GET", upgrade: boolean = false): Promise<Answer> {
    this.parser.expect(method, upgrade);
    let head: Omit<Answer, "text" | "trailers" | "before"> | undefined;
    let text = "";
    const before: number[] = [];
    for (;;) {
      const event = this.parser.next();
      if (event === NEED_DATA) {
        const bytes = await this.stream.receiveSome();
        if (bytes.length === 0) this.parser.receiveEnd();
        else this.parser.receive(bytes);
      } else if (typeof event === "symbol" || event.type === "closed") {
        throw new Error("the connection ended without an answer");
      } else if (event.type === "response") {
        head = {
          status: event.status,
          fields: Object.fromEntries(event.fields),
          keepAlive: event.keepAlive,
        };
      } else if (event.type === "informational") before.push(event.status);
      else if (event.type === "data") text += event.bytes.toString("latin1");
      else if (event.type === "end" && head !== undefined)
        return { ...head, text, trailers: [...event.trailers], before };
    }
  }

  /** All that comes until the server ends. What had come before a reset is told too: `resets` allows one. */
  async rest(resets: boolean = false): Promise<string> {
    let text = this.parser.takeRest().toString("latin1");
    try {
      for (;;) {
        const bytes = await this.stream.receiveSome();
        if (bytes.length === 0) return text;
        text += bytes.toString("latin1");
      }
    } catch (error) {
      if (resets) return text;
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stream.close();
  }
}

/** A server that ends with its test, and clients to it. */
export interface Serving extends AsyncDisposable {
  readonly server: Server;
  readonly port: number;
  readonly url: string;
  connect(): Promise<RawClient>;
  /** What onError was told. */
  readonly errors: unknown[];
}

/** Starts a server at a port that the system picks. */
export async function serving(options: HttpServeOptions): Promise<Serving> {
  const errors: unknown[] = [];
  const server = await serve({ onError: (error) => errors.push(error), ...options });
  const [, port] = server.localAddress as [string, number];
  return {
    server,
    port,
    url: `http://127.0.0.1:${port}`,
    connect: async () => new RawClient(await connectTcp("127.0.0.1", port)),
    errors,
    async [Symbol.asyncDispose]() {
      await server.shutdown({ deadlineMs: 0 });
    },
  };
}

/** A request without content, as text. */
export function get(target: string = "/", lines: string = "", method: string = "GET"): string {
  return `${method} ${target} HTTP/1.1\r\nHost: a\r\n${lines}\r\n`;
}

/** A request with content of a length, as text. */
export function post(content: string, lines: string = "", target: string = "/"): string {
  return `POST ${target} HTTP/1.1\r\nHost: a\r\nContent-Length: ${content.length}\r\n${lines}\r\n${content}`;
}
