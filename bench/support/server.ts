// A peer's server, running. Knows the port line, the commands of servers/control.ts and where Linux
// keeps a process's memory; not what is measured.
import { readFile } from "node:fs/promises";
import type { Job } from "../servers/control.ts";
import { isUnderTls, type Peer, serverCommand, takesCommands } from "./peers.ts";
import { Program, SERVER_CORE } from "./program.ts";

/** Answer to the command `count`. */
export interface Count {
  readonly datagrams: number;
  readonly bytes: number;
  /** When that was, by the program's own clock. */
  readonly ms: number;
}

/** Ask a program for its count. */
export async function askCount(program: Program): Promise<Count> {
  program.writeLine("count");
  return JSON.parse(await program.nextLine());
}

/** A started server that listens. Disposing it kills it. */
export class Server implements AsyncDisposable {
  readonly port: number;
  /** Whether its connections speak TLS. */
  readonly tls: boolean;
  readonly #peer: Peer;
  readonly #program: Program;

  private constructor(peer: Peer, program: Program, port: number, tls: boolean) {
    this.tls = tls;
    this.#peer = peer;
    this.#program = program;
    this.port = port;
  }

  /** Start the peer's server on its core, or on all of them, and wait for its port line. */
  static async start(peer: Peer, job: Job, everyCore: boolean = false): Promise<Server> {
    const command = serverCommand(peer, job);
    if (command === undefined) throw new Error(`${peer} is not installed (npm run bench:peers)`);
    const program = new Program(command, everyCore ? undefined : SERVER_CORE);
    try {
      const line = await program.nextLine();
      const port = /^port (\d+)$/.exec(line)?.[1];
      if (port === undefined) throw new Error(`not a port line from ${peer}: ${line}`);
      return new Server(peer, program, Number(port), isUnderTls(job));
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }

  get pid(): number {
    return this.#program.pid;
  }

  /** Resident memory in bytes, after a garbage collection where the server has one. */
  async residentBytes(): Promise<number> {
    if (takesCommands(this.#peer)) await this.#ask("gc");
    // Exact, where statm and VmRSS lag behind by a batch of pages per processor.
    const rollup = await readFile(`/proc/${this.pid}/smaps_rollup`, "utf8");
    return Number(/^Rss: +(\d+) kB$/m.exec(rollup)?.[1]) * 1024;
  }

  /** Have the server relay to that port of 127.0.0.1 from now on, or begin to send to it. */
  async target(port: number): Promise<void> {
    await this.#ask(`target ${port}`);
  }

  /** What it has received or sent so far, and when that was by its own clock. */
  async count(): Promise<Count> {
    return await askCount(this.#program);
  }

  /** The delay of other work on the server's event loop over the next `seconds`, in milliseconds. */
  async eventLoopDelay(seconds: number): Promise<Record<string, number>> {
    return await this.#ask(`delay ${seconds}`);
  }

  async #ask(command: string): Promise<Record<string, number>> {
    this.#program.writeLine(command);
    return JSON.parse(await this.#program.nextLine());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }
}
