// A capture as a pcapng file that grows: whole blocks, so that what is there can be read whenever it ends. It knows where the
// bytes go and nothing of sockets.

import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { pcapngInterface, pcapngPacket, pcapngSection, pcapngStatistics } from "../packet/index.ts";
import type { Captured } from "./capture-source.ts";
import { CommandError, EXIT, isExpected } from "./failure.ts";
import { renderBytes } from "./render.ts";
import type { Output } from "./stdio.ts";

/** Names standard output, as with tcpdump and tshark. */
export const STANDARD_OUTPUT = "-";

/** Where the blocks of a file go. */
interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Opens what a file is named; an existing one is emptied. @throws {CommandError} it cannot be written. */
async function openSink(path: string, output: Output): Promise<Sink> {
  if (path === STANDARD_OUTPUT) return { write: (bytes) => output.write(bytes), close: async () => {} };
  let file: FileHandle;
  try {
    file = await open(path, "w");
  } catch (error) {
    if (!isExpected(error)) throw error;
    const shown = renderBytes(Buffer.from(path));
    throw new CommandError(`cannot write to ${shown}: ${error.message}`, EXIT.NETWORK, error);
  }
  return { write: (bytes) => file.appendFile(bytes), close: () => file.close() };
}

/** What the file says of every interface in it. */
interface FileOptions {
  /** LINKTYPE_* of all packets. */
  readonly linkType: number;
  readonly snapBytes: number;
  readonly filter: string | undefined;
  /** The one interface; undefined: each is named when its first packet comes. */
  readonly interface: string | undefined;
}

/** A file that is being written. */
export class CaptureFile implements AsyncDisposable {
  readonly #sink: Sink;
  readonly #options: FileOptions;
  /** Interfaces that the file knows, by their names. */
  readonly #interfaces: Map<string, number> = new Map();
  #blocks: Uint8Array[] = [];

  private constructor(sink: Sink, options: FileOptions) {
    this.#sink = sink;
    this.#options = options;
    this.#blocks.push(pcapngSection("berkeley capture"));
    if (options.interface !== undefined) this.#indexOf(options.interface);
  }

  /** Begins a file: it is a sound one, without packets, when this resolves. */
  static async begin(path: string, output: Output, options: FileOptions): Promise<CaptureFile> {
    const file = new CaptureFile(await openSink(path, output), options);
    await file.flush();
    return file;
  }

  /** Adds a packet; it is written by flush(). */
  add({ bytes, interface: name, originalBytes, time }: Captured): void {
    const index = this.#indexOf(name);
    this.#blocks.push(pcapngPacket({ interface: index, time, bytes, originalBytes }));
  }

  /** Writes what was added. @throws the system's error: no space is left, the reader has gone. */
  async flush(): Promise<void> {
    const blocks = this.#blocks;
    this.#blocks = [];
    if (blocks.length > 0) await this.#sink.write(Buffer.concat(blocks));
  }

  /** Adds what the capture came to, at its end. */
  finish(received: number, dropped: number): void {
    const first = this.#interfaces.size === 0 ? this.#indexOf("any") : 0;
    const time = BigInt(Date.now()) * 1_000_000n;
    this.#blocks.push(pcapngStatistics({ interface: first, time, received, dropped }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sink.close();
  }

  #indexOf(name: string): number {
    const known = this.#interfaces.get(name);
    if (known !== undefined) return known;
    const { filter, linkType, snapBytes } = this.#options;
    const index = this.#interfaces.size;
    this.#interfaces.set(name, index);
    this.#blocks.push(
      pcapngInterface({ linkType, snapBytes, name, ...(filter === undefined ? {} : { filter }) }),
    );
    return index;
  }
}
