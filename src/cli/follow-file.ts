// A file as it grows: its bytes, from near its end on, also when it is cut short or another one has taken its name. It knows
// nothing of lines.
//
// How it hears of changes. inotify (fs.watch) of the folder says at once that something happened, and is only a wish to look:
// what happened is seen by reading and by stat. It says nothing on network file systems, and of a link it sees the link; so
// there is a look every so often in any case, as `tail -F` has.

import { watch } from "node:fs";
import type { FSWatcher } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { dirname } from "node:path";

/** What happens to a file. */
export type FileEvent =
  /** It was opened; `isInside`: what comes first is the rest of something. */
  | { readonly type: "begin"; readonly isInside: boolean }
  /** More of it; the memory is the follower's again afterwards. */
  | { readonly type: "bytes"; readonly bytes: Uint8Array }
  /** What was there when it was opened has been given. */
  | { readonly type: "current" }
  /** It is shorter than it was, or another file: what follows is from the beginning. */
  | { readonly type: "truncated" | "replaced" };

const READ_BYTES = 65_536;
/** Twice as often as `tail -F`. */
const LOOK_MS = 500;

/** Which file it is: device and number; undefined: there is none. */
async function identityOf(
  file: FileHandle | string,
): Promise<{ readonly key: string; readonly size: number } | undefined> {
  try {
    const there = await (typeof file === "string"
      ? stat(file, { bigint: true })
      : file.stat({ bigint: true }));
    // A folder is never what was meant, and to open a FIFO waits for a writer.
    return there.isFile() ? { key: `${there.dev}:${there.ino}`, size: Number(there.size) } : undefined;
  } catch (error) {
    if (typeof file === "string") return undefined; // Between two files of that name there may be none.
    throw error;
  }
}

/**
 * Follows a file until the signal.
 *
 * @param lastBytes  so much of what is there is given first.
 * @throws what node:fs reports of a file that cannot be opened or read.
 */
export async function* followFile(
  path: string,
  lastBytes: number,
  signal: AbortSignal,
): AsyncGenerator<FileEvent, void, undefined> {
  using changes = new Changes(dirname(path), signal);
  let file = await open(path);
  try {
    let known = await identityOf(file);
    // One byte earlier: if that is the end of a line, the first one is whole.
    let position = Math.max(0, (known?.size ?? 0) - lastBytes - 1);
    yield { type: "begin", isInside: position > 0 };
    const memory = Buffer.allocUnsafe(READ_BYTES);
    let next: FileHandle | undefined;
    const size = known?.size ?? 0;
    let isCurrent = false;
    while (!signal.aborted) {
      changes.forget();
      const { bytesRead } = await file.read(memory, 0, READ_BYTES, position);
      if (!isCurrent && (bytesRead === 0 || position >= size)) {
        isCurrent = true;
        yield { type: "current" };
      }
      if (bytesRead > 0) {
        position += bytesRead;
        yield { type: "bytes", bytes: memory.subarray(0, bytesRead) };
        continue;
      }
      if (next !== undefined) {
        await file.close();
        [file, next, position] = [next, undefined, 0];
        known = await identityOf(file);
        yield { type: "replaced" };
        continue;
      }
      if (((await identityOf(file))?.size ?? 0) < position) {
        position = 0;
        yield { type: "truncated" };
        continue;
      }
      const there = await identityOf(path);
      if (there !== undefined && there.key !== known?.key) {
        // What was written before it was replaced is read to its end first.
        next = await open(path).catch(() => undefined);
        if (next !== undefined) continue;
      }
      await changes.next();
    }
    await next?.close();
  } finally {
    await file.close();
  }
}

/** Says when to look again. */
class Changes implements Disposable {
  readonly #signal: AbortSignal;
  readonly #watcher: FSWatcher | undefined;
  #changed = false;
  #resume: (() => void) | undefined;
  readonly #wake = (): void => {
    this.#changed = true;
    this.#resume?.();
  };

  constructor(folder: string, signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.#wake);
    try {
      this.#watcher = watch(folder, this.#wake);
      this.#watcher.on("error", () => {});
    } catch {
      // Without it there is a look every so often.
    }
  }

  /** What has changed until now will be seen. */
  forget(): void {
    this.#changed = false;
  }

  /** Resolves when something has changed, or might have. */
  async next(): Promise<void> {
    if (this.#changed || this.#signal.aborted) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
      timer = setTimeout(resolve, LOOK_MS);
    });
    clearTimeout(timer);
    this.#resume = undefined;
  }

  [Symbol.dispose](): void {
    this.#watcher?.close();
    this.#signal.removeEventListener("abort", this.#wake);
  }
}
