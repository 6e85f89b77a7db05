// Child processes for tests: start one, wait for a line, collect what it wrote, and never leave it behind. It knows
// nothing of the programs that it runs.

import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import type { Readable, Writable } from "node:stream";

/** How a process ended, and all that it wrote. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** What `start` takes last. */
export interface StartOptions {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** Bytes for its standard input, which ends after them. Without it the input stays open, for `stdin` to write. */
  readonly input?: string | Uint8Array;
  /** False leaves standard output unread, as a reader that does not read does. Default true: collected. */
  readonly readOutput?: boolean;
}

/** A child that lives longer hangs. It is killed, and whoever waits for it fails and shows what it wrote. */
const LIFETIME_MS_MAX = 90_000;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Somebody else's program runs without what is preloaded into ours: curl hangs under a sanitizer's runtime. */
function environment(command: string, args: readonly string[]): NodeJS.ProcessEnv {
  const { LD_PRELOAD, ...others } = process.env;
  const isOurs = command === process.execPath || args.includes(process.execPath);
  return isOurs && LD_PRELOAD !== undefined ? { ...others, LD_PRELOAD } : others;
}

/** A running child process. Disposing kills it and waits until it is gone. */
export class Child implements AsyncDisposable {
  /** Settles when the process has ended and its output has been read. */
  readonly exited: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #command: string;
  readonly #chunks: Record<"stdout" | "stderr", Buffer[]> = { stdout: [], stderr: [] };
  readonly #watchers = new Set<() => void>();
  #exit: Exit | undefined;

  /** @internal Use start(). */
  constructor(command: string, args: readonly string[], options: StartOptions) {
    this.#command = [command, ...args].join(" ");
    this.#child = spawn(command, args, {
      stdio: "pipe",
      timeout: LIFETIME_MS_MAX,
      killSignal: "SIGKILL",
      cwd: options.cwd,
      env: { ...environment(command, args), PYTHONUNBUFFERED: "1", ...options.env },
    });
    running.add(this.#child);
    this.stdin.on("error", () => {}); // a child that has gone is seen by its exit
    if (options.input !== undefined) this.stdin.end(options.input);
    for (const name of ["stdout", "stderr"] as const)
      if (name === "stderr" || options.readOutput !== false)
        this.#child[name]?.on("data", (chunk: Buffer) => {
          this.#chunks[name].push(chunk);
          this.#wake();
        });
    this.exited = new Promise((resolve, reject) => {
      this.#child.once("error", (error) => {
        running.delete(this.#child);
        reject(error);
      });
      const ended = options.readOutput === false ? "exit" : "close";
      this.#child.once(ended, (code: number | null, signal: NodeJS.Signals | null) => {
        running.delete(this.#child);
        this.#exit = { code, signal, stdout: this.output("stdout"), stderr: this.output("stderr") };
        resolve(this.#exit);
        this.#wake();
      });
    });
    this.exited.catch(() => {});
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get stdin(): Writable {
    return this.#child.stdin as Writable;
  }

  /** Standard output, for tests that read it themselves (`readOutput: false`). */
  get stdout(): Readable {
    return this.#child.stdout as Readable;
  }

  /** All that it has written so far. */
  output(from: "stdout" | "stderr" = "stdout"): Buffer {
    return Buffer.concat(this.#chunks[from]);
  }

  /**
   * Waits until the complete lines that it has written match.
   *
   * @throws {Error} it ended without; the message has its output.
   */
  line(pattern: RegExp, from: "stdout" | "stderr" = "stdout"): Promise<RegExpExecArray> {
    return this.#until(pattern.source, () => {
      const text = this.output(from).toString();
      return pattern.exec(this.#exit === undefined ? text.slice(0, text.lastIndexOf("\n") + 1) : text);
    });
  }

  /** Waits until it has written so many bytes; all that it has written by then. */
  bytes(count: number, from: "stdout" | "stderr" = "stdout"): Promise<Buffer> {
    const length = (): number => this.#chunks[from].reduce((sum, chunk) => sum + chunk.length, 0);
    return this.#until(`${count} bytes`, () => (length() >= count ? this.output(from) : null));
  }

  /** Waits for its end and checks that it ended with 0. */
  async succeeded(): Promise<Exit> {
    const exit = await this.exited;
    if (exit.code !== 0) throw new Error(this.#describe(exit));
    return exit;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#exit !== undefined || this.#child.pid === undefined) return;
    this.#child.kill("SIGKILL");
    this.#child.stdout?.destroy();
    await this.exited;
  }

  async #until<T>(what: string, check: () => T | null): Promise<T> {
    for (;;) {
      const found = check();
      if (found !== null) return found;
      if (this.#exit !== undefined) throw new Error(`${what} never came: ${this.#describe(this.#exit)}`);
      await new Promise<void>((resolve) => this.#watchers.add(resolve));
    }
  }

  #wake(): void {
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }

  #describe({ code, signal, stdout, stderr }: Exit): string {
    return `${this.#command} ended with ${code ?? signal}\nstdout: ${stdout.toString()}\nstderr: ${stderr.toString()}`;
  }
}

/** Starts a program. Use with `await using`. */
export function start(command: string, args: readonly string[], options: StartOptions = {}): Child {
  return new Child(command, args, options);
}

/** AddressSanitizer keeps freed memory in quarantine: what a process holds says nothing then. */
export const UNDER_SANITIZERS: boolean = process.env["ASAN_OPTIONS"] !== undefined;

/**
 * Resident memory of a process now, in bytes.
 *
 * @see proc(5), VmRSS
 */
export function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** Whether all threads of a process stand still. @see proc(5), task and stat; signal(7), SIGSTOP */
export function isStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((thread) => / T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1")));
}
