// playTranscript(): one side of a recorded conversation over a stream, byte for byte. How a transcript is written,
// parser.ts knows; the protocol of the conversation nobody here does.

import { invalidArgument } from "../../socket/errors.ts";
import type { ByteStream } from "../../stream/byte-stream.ts";
import { randomFrom } from "../byte-stream/support.ts";
import { ANY, TranscriptError, parseTranscript } from "./parser.ts";
import type { TranscriptLine, TranscriptSide } from "./parser.ts";

/** What playTranscript takes last. */
export interface TranscriptOptions {
  /** Whose lines are said here; the others are waited for. */
  side: TranscriptSide;
  /**
   * How what this side says is cut: "whole", all of its lines that follow each other at once; "bytes", one by one;
   * "random". Default "whole". What the other side says may come in any pieces.
   */
  cuts?: "whole" | "bytes" | "random" | undefined;
  /** For random cuts; a failure names it. Default another one each time. */
  seed?: number | undefined;
  /** What follows each line of the transcript. Default CR LF. */
  lineEnd?: string | undefined;
  /** Ends it with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Lines of the transcript that are shown before the one that differs. */
const CONTEXT_LINES = 3;
/** Received bytes that are shown behind the one that differs. */
const CONTEXT_BYTES = 40;
/** Bytes of a line that are shown, of what was expected its first and of what came its last. */
const SHOWN_BYTES = 200;
/** Random cuts have so many bytes at most. */
const CUT_BYTES_MAX = 20;

const OTHER: Readonly<Record<TranscriptSide, TranscriptSide>> = { client: "server", server: "client" };
const LETTER: Readonly<Record<TranscriptSide, string>> = { client: "C", server: "S" };

/** Bytes as a transcript writes them. */
function shown(bytes: Iterable<number>): string {
  let text = "";
  for (const byte of bytes)
    if (byte === ANY) text += "\\*";
    else if (byte === 13) text += "\\r";
    else if (byte === 10) text += "\\n";
    else if (byte === 92) text += "\\\\";
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  return text;
}

function expected({ pattern }: TranscriptLine, letter: string): string {
  if (pattern === undefined) return `${letter} ends`;
  return `${letter}: ${shown(pattern.slice(0, SHOWN_BYTES))}${pattern.length > SHOWN_BYTES ? "…" : ""}`;
}

/** One side, while it plays. */
class Player {
  readonly #stream: ByteStream;
  readonly #lines: readonly TranscriptLine[];
  readonly #signal: AbortSignal | undefined;
  readonly #other: TranscriptSide;
  /** Received last; compared up to `#at`. */
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  constructor(stream: ByteStream, lines: readonly TranscriptLine[], options: TranscriptOptions) {
    this.#stream = stream;
    this.#lines = lines;
    this.#signal = options.signal;
    this.#other = OTHER[options.side];
  }

  async play(cut: (bytes: Buffer) => Iterable<Buffer>): Promise<void> {
    const lines = this.#lines;
    for (let at = 0; at < lines.length; ) {
      const line = lines[at] as TranscriptLine;
      if (line.side === this.#other) {
        await this.#hear(at++);
        continue;
      }
      const said: number[] = [];
      const first = at;
      for (; lines[at]?.side === line.side && lines[at]?.pattern !== undefined; at++)
        said.push(...(lines[at]?.pattern as readonly number[]));
      if (said.length > 0) await this.#say(lines[first] as TranscriptLine, cut(Buffer.from(said)));
      if (lines[at]?.side === line.side && lines[at]?.pattern === undefined) {
        await this.#stream.closeWrite({ signal: this.#signal });
        at++;
      }
    }
    if (this.#at < this.#bytes.length) this.#differs(lines.length, [], "said more than the transcript has");
  }

  async #say(line: TranscriptLine, pieces: Iterable<Buffer>): Promise<void> {
    try {
      for (const piece of pieces) await this.#stream.sendAll(piece, { signal: this.#signal });
    } catch (error) {
      if (error instanceof Error && this.#signal?.aborted !== true)
        error.message += ` (sending line ${line.number} of the transcript: ${line.source})`;
      throw error;
    }
  }

  /** Waits for a line of the other side. */
  async #hear(index: number): Promise<void> {
    const { pattern } = this.#lines[index] as TranscriptLine;
    const heard: number[] = [];
    if (pattern === undefined) {
      if (await this.#more()) this.#differs(index, heard, "goes on instead of ending");
      return;
    }
    for (let at = 0; at < pattern.length; ) {
      if (!(await this.#more())) this.#differs(index, heard, "ended too early");
      const byte = this.#bytes[this.#at] as number;
      if (pattern[at] === ANY) {
        if (byte === pattern[at + 1]) at += 2;
      } else if (byte === pattern[at]) at++;
      else this.#differs(index, heard, "said something else");
      heard.push(byte);
      this.#at++;
    }
  }

  /** Whether there is another byte. */
  async #more(): Promise<boolean> {
    if (this.#at < this.#bytes.length) return true;
    this.#bytes = await this.#stream.receiveSome(undefined, { signal: this.#signal });
    this.#at = 0;
    return this.#bytes.length > 0;
  }

  #differs(index: number, heard: readonly number[], what: string): never {
    const line = this.#lines[index];
    const letter = LETTER[this.#other];
    const context = this.#lines
      .slice(Math.max(0, index - CONTEXT_LINES), index)
      .map(({ number, source }) => `${String(number).padStart(8)} ${source}`);
    const received = `${letter}: ${heard.length > SHOWN_BYTES ? "…" : ""}${shown(heard.slice(-SHOWN_BYTES))}`;
    const follows = this.#bytes.subarray(this.#at, this.#at + CONTEXT_BYTES);
    context.push(
      `expected ${line === undefined ? "nothing" : expected(line, letter)}`,
      `received ${received}${shown(follows)}`,
      `         ${" ".repeat(received.length)}^`,
    );
    const number = line?.number ?? (this.#lines.at(-1)?.number as number) + 1;
    throw new TranscriptError(
      "ERR_TRANSCRIPT_DIFFERS",
      number,
      `the ${this.#other} ${what}\n${context.join("\n")}`,
    );
  }
}

function* cutBytes(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}

function* cutAtRandom(bytes: Buffer, random: (below: number) => number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 1 + random(CUT_BYTES_MAX);
    yield bytes.subarray(at, end);
    at = end;
  }
}

/**
 * Plays one side of a recorded conversation: says its lines, each when it is its turn, and holds what comes against the
 * other side's lines, byte for byte, in whatever pieces it comes.
 *
 * ```
 * # a comment
 * S: 220 mail.example ready        CR LF follows each line …
 * C: \x00\x05hello\                … but not one that ends in a backslash; \r \n \t \0 \\ \xHH are bytes
 * S: Date: \*                      any bytes, up to the one that is written behind it (here CR)
 * C ends                           the client ends its side
 * ```
 *
 * The stream is left open, but for what the transcript ends; when it fails the stream is closed, so that nobody waits at
 * its other end. What the peer may still say behind the last line is not waited for: let the transcript end with `C ends`
 * or `S ends` to hold the peer to it.
 *
 * @param transcript  its text; `…` in UTF-8.
 * @throws {TranscriptError} ERR_TRANSCRIPT_DIFFERS: the first difference, with what was expected and what came;
 *   ERR_TRANSCRIPT_SYNTAX, with the line. @throws as the stream's calls. @throws the signal's reason.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE.
 */
export async function playTranscript(
  stream: ByteStream,
  transcript: string,
  options: TranscriptOptions,
): Promise<void> {
  const { cuts = "whole", side, lineEnd = "\r\n", seed = Math.floor(Math.random() * 2 ** 31) } = options;
  if (typeof transcript !== "string") throw invalidArgument("transcript", "a string", transcript);
  if (side !== "client" && side !== "server")
    throw invalidArgument("options.side", '"client" or "server"', side);
  const random = randomFrom(seed);
  const ways = {
    whole: (bytes: Buffer) => [bytes],
    bytes: cutBytes,
    random: (bytes: Buffer) => cutAtRandom(bytes, random),
  };
  if (!Object.hasOwn(ways, cuts)) throw invalidArgument("options.cuts", '"whole", "bytes" or "random"', cuts);
  try {
    const lines = parseTranscript(transcript, lineEnd);
    const open = lines.find((line) => line.side === side && line.pattern?.includes(ANY) === true);
    if (open !== undefined)
      throw new TranscriptError("ERR_TRANSCRIPT_SYNTAX", open.number, `\\* cannot be said: ${open.source}`);
    await new Player(stream, lines, options).play(ways[cuts]);
  } catch (error) {
    stream.close();
    if (error instanceof TranscriptError && cuts === "random") error.message += `\n[seed ${seed}]`;
    throw error;
  }
}
