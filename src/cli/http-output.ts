// Where the content of an answer goes: to standard output, or into a file, which may be there in part; and a line on
// standard error that says how far it is. It knows no HTTP but Content-Range.

import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { CommandError, EXIT, isExpected } from "./failure.ts";
import { formatProgress } from "./progress.ts";
import { renderBytes } from "./render.ts";
import type { Output } from "./stdio.ts";

/** What decides where it goes. */
export interface TargetOptions {
  /** A file; "-" or undefined: standard output. */
  readonly output?: string;
  readonly resume: boolean;
  /** Undefined: on a terminal, when it takes long. */
  readonly progress?: boolean;
}

/** Transfers that take no longer than this show no progress. */
const SHOWN_AFTER_MS = 1000;
const EACH_MS = 100;
/** To the line's beginning, and nothing to the right of it: ECMA-48, EL. */
const CLEAR = "\r\x1b[K";

/** Where a content goes. */
export class Target implements AsyncDisposable {
  readonly #output: Output;
  readonly #path: string | undefined;
  #file: FileHandle | undefined;
  readonly #isShown: boolean | undefined;
  #length: number;
  #before = 0;
  #total: number | undefined;
  #begun = performance.now();
  #shownAt = 0;

  /**
   * @param path    a file; undefined: standard output.
   * @param length  what the file has already.
   */
  constructor(output: Output, path: string | undefined, length: number, isShown: boolean | undefined) {
    this.#output = output;
    this.#path = path;
    this.#length = length;
    this.#isShown = isShown;
  }

  /** Whether it is a file. */
  get isFile(): boolean {
    return this.#path !== undefined;
  }

  /** How many bytes are here. */
  get length(): number {
    return this.#length;
  }

  /**
   * Content follows: behind what is here, where it is a part that begins there; else from the beginning.
   *
   * @param range  Content-Range of the part; undefined: it is the whole.
   * @throws {CommandError} another part; the file cannot be written.
   */
  async begin(range: string | undefined): Promise<void> {
    this.#begun = performance.now();
    if (range === undefined) this.#length = 0;
    else if (Number(/^bytes ([0-9]+)-/.exec(range)?.[1] ?? Number.NaN) !== this.#length)
      throw new CommandError(`the server sent another part than was asked for: ${range}`, EXIT.NETWORK);
    this.#before = this.#length;
    if (this.#path !== undefined) this.#file = await openFile(this.#path, range === undefined ? "w" : "a");
  }

  /** How many bytes will follow; undefined: nobody knows. */
  expect(bytes: number | undefined): void {
    this.#total = bytes === undefined ? undefined : this.#before + bytes;
  }

  /** Takes a piece. */
  async write(piece: Uint8Array): Promise<void> {
    if (this.#file === undefined) await this.#output.write(piece);
    else await this.#file.writeFile(piece);
    this.#length += piece.length;
    const now = performance.now();
    if (this.#isShown === false || now - this.#shownAt < EACH_MS) return;
    if (this.#isShown === undefined && now - this.#begun < SHOWN_AFTER_MS) return;
    this.#shownAt = now;
    this.#show(now);
  }

  #show(now: number): void {
    const transfer = {
      bytes: this.#length,
      before: this.#before,
      total: this.#total,
      elapsedMs: now - this.#begun,
    };
    process.stderr.write(`${CLEAR}${formatProgress(transfer)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#shownAt > 0) {
      this.#show(performance.now());
      process.stderr.write("\n");
    }
    await this.#file?.close();
  }
}

/** Finds where it goes. @throws what node:fs reports. */
export async function openTarget(options: TargetOptions, output: Output): Promise<Target> {
  const { output: path, resume, progress } = options;
  const shows = progress ?? (process.stderr.isTTY && (path !== undefined || !process.stdout.isTTY));
  const isShown = shows ? (progress === true ? true : undefined) : false;
  if (path === undefined || path === "-") return new Target(output, undefined, 0, isShown);
  return new Target(output, path, resume ? await sizeOf(path) : 0, isShown);
}

/** How many bytes a file has; 0 where there is none. @throws what node:fs reports. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isExpected(error) && error.code === "ENOENT") return 0;
    throw error;
  }
}

/** @throws {CommandError} it cannot be written. */
async function openFile(path: string, flags: "a" | "w"): Promise<FileHandle> {
  try {
    return await open(path, flags);
  } catch (error) {
    if (!isExpected(error)) throw error;
    const shown = renderBytes(Buffer.from(path));
    throw new CommandError(`cannot write to ${shown}: ${error.message}`, EXIT.NETWORK, error);
  }
}
