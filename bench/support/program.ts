// A child process of the harness: started on one core, read line by line, ended. Knows nothing of what
// the program does.
import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";

/** The core that servers run on, and the one of the generator; undefined where there are not two. */
export const [SERVER_CORE, LOAD_CORE]: readonly (number | undefined)[] = twoCores();

const LINE_TIMEOUT_MS = 60_000; // Nothing here takes as long; a program that hangs is reported.
const STDERR_BYTES_MAX = 4_096;

/** A running program. Its pid is the program's own: taskset replaces itself by it. */
export class Program implements AsyncDisposable {
  readonly pid: number;
  readonly #name: string;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  readonly #exit: Promise<string>;
  #stderr = "";

  constructor(command: readonly string[], core: number | undefined) {
    const [file = "", ...args] = core === undefined ? command : ["taskset", "-c", String(core), ...command];
    this.#name = command.join(" ");
    this.#child = spawn(file, args, {
      stdio: "pipe",
      env: { ...process.env, DENO_NO_UPDATE_CHECK: "1", DO_NOT_TRACK: "1" },
    });
    this.#child.stdin.on("error", () => {}); // It has ended; nextLine() says so.
    this.#child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_BYTES_MAX);
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#exit = new Promise((resolve) => {
      this.#child.on("error", (error) => resolve(error.message));
      this.#child.on("close", (code, signal) => resolve(signal ?? `status ${code}`));
    });
    this.pid = this.#child.pid ?? 0;
  }

  /** The next line of its standard output; throws, with what it said on standard error, when there is none. */
  async nextLine(): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`no line from: ${this.#name}\n${this.#stderr}`)),
        LINE_TIMEOUT_MS,
      );
    });
    try {
      const { done, value } = await Promise.race([this.#lines.next(), late]);
      if (!done) return value;
      throw new Error(`ended with ${await this.#exit}: ${this.#name}\n${this.#stderr}`);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Write a line to its standard input. */
  writeLine(text: string): void {
    this.#child.stdin.write(`${text}\n`);
  }

  /** Let its standard input end and wait until it has ended by itself. */
  async finish(): Promise<void> {
    this.#child.stdin.end();
    await this.#exit;
  }

  /** Kill it and wait until it is gone. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#exit;
  }
}

// The first two that this process may run on: a container may have been given others than 0 and 1.
function twoCores(): readonly (number | undefined)[] {
  const status = readFileSync("/proc/self/status", "utf8");
  const ranges = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "";
  const cores = ranges.split(",").flatMap((range) => {
    const [first = 0, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
  return cores.length < 2 ? [undefined, undefined] : cores.slice(0, 2);
}
