// Reading files for answers, off the event loop's thread. It knows node:fs and nothing of HTTP.

import { read } from "node:fs";

/** An open file: a FileHandle of node:fs/promises, or anything else that has its descriptor. */
export interface OpenFile {
  readonly fd: number;
}

/**
 * Reads at a place.
 *
 * @returns up to `length` bytes, in memory of their own; empty: the file has ended.
 * @throws what node:fs reports.
 */
export function readFile(file: OpenFile, at: number, length: number): Promise<Buffer> {
  const memory = Buffer.allocUnsafeSlow(length);
  return new Promise((resolve, reject) => {
    read(file.fd, memory, 0, length, at, (error, count) =>
      error === null ? resolve(memory.subarray(0, count)) : reject(error),
    );
  });
}
