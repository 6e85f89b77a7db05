// A file's bytes to a socket: sendfile(2) as a waiting call, and the file itself for where that does not work. Who asked
// for it, and what happens in between, file.ts knows.

import { close, closeSync, constants, open, openSync, read, readSync, statSync } from "node:fs";
import { promisify } from "node:util";
import { Operation } from "../engine/operation.ts";
import type { Progress } from "../engine/operation.ts";
import { listen, stopListening } from "../engine/signal.ts";
import { EAGAIN, EINVAL, ENOSYS, EOPNOTSUPP, EOVERFLOW, EPERM, ESPIPE } from "../constants/index.ts";
import { WRITE } from "../engine/descriptor.ts";
import { SocketError, invalidArgument } from "./errors.ts";
import type { Face, Outcome, WaitOptions } from "./face.ts";
import { CREDIT_SHIFT } from "./transfers.ts";
import type { Transferring } from "./transfers.ts";

/** What sendfile() takes: a path, an open file's descriptor, or what has one (node:fs/promises' FileHandle). */
export type FileSource = string | URL | Uint8Array | number | { readonly fd: number };

/** An open file, by a number that is asked for each time: -1 once it is closed. */
export interface OpenFile {
  readonly fd: number;
}

/** Most bytes of one sendfile(2). The kernel reads the disk in it, and nothing else runs meanwhile. */
const STEP_BYTES = 524_288;
/** Bytes of one read where sendfile(2) does not work. */
export const COPY_BYTES = 65_536;

/** How a file is opened, read and closed in each face. `position` null: wherever the file is. */
export interface FileAccess<F extends Face> {
  open(path: string | URL | Uint8Array): Outcome<F, number>;
  read(
    file: OpenFile,
    into: Uint8Array,
    position: number | null,
    options: WaitOptions | undefined,
  ): Outcome<F, number>;
  close(fd: number): Outcome<F, void>;
}

const opening = promisify(open);
const closing = promisify(close);

/** Reads for which nobody waits any more, by descriptor: a thread is in them, or will be, and until then it stays open. */
const abandoned = new Map<number, Promise<unknown>>();

/** A read that a signal ends for who waits; nothing ends it for the thread that makes it. */
function readUntil(
  work: () => Promise<number>,
  fd: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  if (signal === undefined) return work();
  if (signal.aborted) return Promise.reject(signal.reason as Error);
  return new Promise((resolve, reject) => {
    const over = (): void => stopListening(signal, abort);
    const done = work().finally(over);
    const abort = (): void => {
      abandoned.set(fd, done);
      reject(signal.reason as Error);
    };
    listen(signal, abort);
    done.finally(() => abandoned.delete(fd)).then(resolve, reject);
  });
}

/** For berkeley: on Node's threads. */
export const FILE_ACCESS: FileAccess<"async"> = {
  open: (path) => opening(path as string, "r"),
  read: (file, into, position, options) =>
    readUntil(
      () =>
        new Promise((resolve, reject) =>
          read(file.fd, into, 0, into.length, position, (error, count) =>
            error === null ? resolve(count) : reject(error),
          ),
        ),
      file.fd,
      options?.signal,
    ),
  async close(fd) {
    const reading = abandoned.get(fd);
    if (reading === undefined) await closing(fd);
    else void reading.catch(() => undefined).then(() => close(fd, () => {}));
  },
};

/** For berkeley/sync. */
export const FILE_ACCESS_NOW: FileAccess<"sync"> = {
  open: (path) => openSync(path as string, "r"),
  read: (file, into, position) => readSync(file.fd, into, 0, into.length, position),
  close: closeSync,
};

/** The open file in what sendfile() was given; undefined: a path. */
export function openFileIn(file: FileSource): OpenFile | undefined {
  if (typeof file === "number") {
    if (Number.isInteger(file) && file >= 0) return { fd: file };
  } else if (typeof file === "object" && file !== null && "fd" in file) {
    if (typeof file.fd === "number") return file;
  } else if (typeof file === "string" || file instanceof URL || file instanceof Uint8Array) {
    return undefined;
  }
  throw invalidArgument("file", "a path, a descriptor or a FileHandle", file);
}

/**
 * Opens a path that is a regular file, at once: a call that waited for that would lose its place among the sends. What
 * sendfile(2) may wait for, the disk, is no more here. Pipes, whose opening waits for their writer, are left alone.
 *
 * @returns the descriptor; undefined: no regular file.
 */
export function openRegular(path: string): number | undefined {
  return statSync(path).isFile() ? openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) : undefined;
}

/** Whether sendfile(2) cannot do it with this file or on this system, so that read and send must. */
export function isRefusal(error: unknown): boolean {
  return error instanceof SocketError && error.syscall === "sendfile" && REFUSALS.has(error.errno);
}

/** EPERM: a seccomp filter. ESPIPE: a pipe. EOVERFLOW: a file of /proc without a size. */
const REFUSALS: ReadonlySet<number> = new Set([EINVAL, ENOSYS, EOPNOTSUPP, EOVERFLOW, EPERM, ESPIPE]);

/** sendfile: all that is asked for or there, in as many calls as it takes. Its time begins anew with each progress. */
export class SendFile extends Operation<number> {
  declare readonly owner: Transferring;
  override readonly progress: Progress;
  readonly #file: OpenFile;
  readonly #offset: number;
  readonly #count: number;
  readonly #ms: number;

  /** @param count  Infinity: to the end of the file. @param ms  the time for each progress, as park() takes it. */
  constructor(
    socket: Transferring,
    file: OpenFile,
    offset: number,
    count: number,
    progress: Progress,
    ms: number,
  ) {
    super(socket);
    this.#file = file;
    this.#offset = offset;
    this.#count = count;
    this.progress = progress;
    this.#ms = ms;
  }

  get syscall(): string {
    return "sendfile";
  }

  attempt(): number {
    const { owner, progress } = this;
    const { descriptor, engine } = owner;
    const before = progress.bytes;
    let result = -EAGAIN;
    do {
      const left = this.#count - progress.bytes;
      if (left <= 0) return 0;
      const from = this.#offset + progress.bytes;
      const step = Math.min(left, STEP_BYTES);
      result = engine.backend.calls.sendfile(descriptor.fd, this.#file.fd, from, step);
      if (result <= 0) break;
      progress.bytes += result;
      engine.credit -= result >> CREDIT_SHIFT;
      result = -EAGAIN;
    } while (engine.credit > 0);
    if (progress.bytes > before) engine.prolong(descriptor, WRITE, this, this.#ms);
    return result;
  }

  value(): number {
    return this.progress.bytes;
  }
}
