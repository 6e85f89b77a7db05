// A pipe for tests: a FIFO opened for both, since Node has no pipe(2). What is written to it can be read from it.

import { execFileSync } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Capacity of a pipe on Linux. pipe(7) */
const PIPE_BYTES = 65_536;

/** A pipe; closed and removed when disposed. */
export class Fifo implements Disposable {
  readonly #folder: string = mkdtempSync(join(tmpdir(), "berkeley-fifo-"));
  readonly path: string = join(this.#folder, "fifo");
  /** Non-blocking, both ends. */
  fd: number;

  constructor() {
    execFileSync("mkfifo", [this.path]);
    this.fd = openSync(this.path, constants.O_RDWR | constants.O_NONBLOCK);
  }

  fileno(): number {
    return this.fd;
  }

  write(text: string): void {
    writeSync(this.fd, text);
  }

  /** Writes until no byte fits any more. */
  fill(): void {
    const bytes = Buffer.alloc(PIPE_BYTES);
    try {
      for (;;) writeSync(this.fd, bytes);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
  }

  /** Reads all that is there. */
  drain(): string {
    const bytes = Buffer.alloc(PIPE_BYTES);
    let text = "";
    try {
      for (;;) text += bytes.toString("latin1", 0, readSync(this.fd, bytes));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
    }
    return text;
  }

  close(): void {
    if (this.fd >= 0) closeSync(this.fd);
    this.fd = -1;
  }

  [Symbol.dispose](): void {
    this.close();
    rmSync(this.#folder, { recursive: true });
  }
}
