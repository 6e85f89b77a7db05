// `berkeley ping HOST`: how long a host takes to answer, as ping(8).

import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "commander";
import { AF_INET, AF_INET6, AF_UNSPEC, getaddrinfo, SOCK_DGRAM, SocketError } from "../index.ts";
import type { Address } from "../index.ts";
import { UsageError } from "./endpoint.ts";
import { CommandError, EXIT, isExpected, unresolved } from "./failure.ts";
import { formatMs, PingStatistics } from "./ping-statistics.ts";
import { EchoSocket, hostOf } from "./ping-socket.ts";
import type { Answer } from "./ping-socket.ts";
import { renderBytes } from "./render.ts";
import { parseSeconds } from "./seconds.ts";
import { note, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";
import { parseWhole } from "./whole.ts";

/** IPv4 carries 65535 bytes, 20 of them its header; 8 are ICMP's. */
const SIZE_MAX = 65_507;
/** More often nobody should be asked; ping(8) lets only root ask so often. */
const INTERVAL_SECONDS_MIN = 0.002;
/** Headers of IP and of ICMP, for what is on the wire. */
const HEADERS_BYTES: Readonly<Record<number, number>> = { [AF_INET]: 28, [AF_INET6]: 48 };

interface PingOptions {
  readonly count?: number;
  readonly interval: number;
  readonly timeout: number;
  readonly size: number;
  readonly 4?: boolean;
  readonly 6?: boolean;
}

/** Adds the subcommand to the program. */
export function addPing(program: Command): void {
  program
    .command("ping")
    .description("ask a host to answer, once a second, and print how long it took, until Ctrl-C")
    .argument("<HOST>", "whom to ask, by name or number")
    .option("-c, --count <n>", "stop after so many requests", parseWhole("--count", 1, 2 ** 31 - 1))
    .option("-i, --interval <seconds>", "between requests", parseSeconds("--interval"), 1)
    .option(
      "-W, --timeout <seconds>",
      "how long to wait for answers after the last request",
      parseSeconds("--timeout"),
      10,
    )
    .option("-s, --size <bytes>", "data of each request", parseWhole("--size", 0, SIZE_MAX), 56)
    .option("-4", "over IPv4 only")
    .option("-6", "over IPv6 only")
    .addHelpText(
      "after",
      "\nExit status: 0 somebody answered, 1 nobody did, 2 anything else.\n" +
        "It needs a group within net.ipv4.ping_group_range, or the capability CAP_NET_RAW.",
    )
    .action(async (host: string, options: PingOptions) => {
      if (options[4] === true && options[6] === true) throw new UsageError("-4 and -6 exclude each other");
      if (options.interval < INTERVAL_SECONDS_MIN)
        throw new UsageError(`--interval is at least ${INTERVAL_SECONDS_MIN} seconds`);
      await runPing(host, options);
    });
}

const fail = (host: string, reason: string, cause: unknown): CommandError =>
  new CommandError(`cannot ping ${renderBytes(Buffer.from(host))}: ${reason}`, EXIT.PING, cause);

/** The first address of a name. @throws {CommandError} it has none. */
async function resolve(host: string, options: PingOptions): Promise<[family: number, address: Address]> {
  const family = options[4] === true ? AF_INET : options[6] === true ? AF_INET6 : AF_UNSPEC;
  try {
    const [first] = await getaddrinfo(host, null, { family, type: SOCK_DGRAM });
    if (first === undefined) throw new Error(`getaddrinfo gave no address for ${host}`);
    return [first[0], first[4]];
  } catch (error) {
    if (!isExpected(error)) throw error;
    throw fail(host, unresolved(host, error) ?? error.message, error);
  }
}

/** @throws {CommandError} this program may have no socket for it. */
function open(host: string, family: number, address: Address, bytes: number): EchoSocket {
  try {
    return new EchoSocket(family, address, bytes);
  } catch (error) {
    if (!isExpected(error)) throw error;
    const isRight = error.code === "EPERM" || error.code === "EACCES";
    const reason = isRight
      ? "it needs root, the capability CAP_NET_RAW, or a group within net.ipv4.ping_group_range"
      : error.message;
    throw fail(host, reason, error);
  }
}

async function runPing(host: string, options: PingOptions): Promise<void> {
  const [family, address] = await resolve(host, options);
  using echo = open(host, family, address, options.size);
  using stop = stopOnSignals();
  const output = new Output();
  const shown = renderBytes(Buffer.from(host));
  const whole = options.size + (HEADERS_BYTES[family] as number);
  await output.write(`PING ${shown} (${hostOf(address)}) ${options.size}(${whole}) bytes of data.\n`);
  const run = new Run(echo, options, (line) => output.write(`${line}\n`));
  const begin = performance.now();
  try {
    await run.untilOver(stop.signal);
  } catch (error) {
    if (run.statistics.transmitted > 0 || !(error instanceof SocketError)) throw error;
    throw fail(host, error.message, error);
  }
  const lines = run.statistics.lines(shown, performance.now() - begin);
  await output.write(`\n${lines.join("\n")}\n`);
  if (run.statistics.received === 0) throw new CommandError("", EXIT.NETWORK);
}

/** Requests that leave at their times, and answers that are told as they come. */
class Run {
  readonly statistics: PingStatistics = new PingStatistics();
  readonly #echo: EchoSocket;
  readonly #options: PingOptions;
  readonly #print: (line: string) => Promise<void>;
  readonly #over = new AbortController();

  constructor(echo: EchoSocket, options: PingOptions, print: (line: string) => Promise<void>) {
    this.#echo = echo;
    this.#options = options;
    this.#print = print;
  }

  /** Until all were answered, the waiting is over, or the signal. @throws what sending the first, or printing, threw. */
  async untilOver(stop: AbortSignal): Promise<void> {
    const end = (): void => this.#over.abort();
    stop.addEventListener("abort", end);
    if (stop.aborted) end();
    const { signal } = this.#over;
    const each = async (next: () => Promise<Answer>): Promise<void> => {
      while (!signal.aborted) await this.#tell(await next());
    };
    const unlessOver = (work: Promise<void>): Promise<void> =>
      work.catch((error: unknown) => {
        const isEnd = signal.aborted && [error, (error as Error).cause].includes(signal.reason);
        end();
        if (!isEnd) throw error;
      });
    await Promise.all([
      unlessOver(each(() => this.#echo.receive(signal))),
      unlessOver(each(() => this.#echo.refused(signal))),
      unlessOver(this.#ask(signal).finally(end)),
    ]);
  }

  async #ask(signal: AbortSignal): Promise<void> {
    const { count = Infinity, interval } = this.#options;
    let at = performance.now();
    for (let sequence = 1; sequence <= count; sequence++) {
      await this.#send(sequence, signal);
      if (sequence === count) break;
      // At its time, however long the last one took; what could not keep up is not made up for.
      at = Math.max(at + interval * 1000, performance.now());
      await sleep(at - performance.now(), undefined, { signal });
    }
    if (!this.#isDone()) await sleep(this.#patienceMs(), undefined, { signal });
  }

  /** As ping(8): who has answered so far answers within twice the longest time, and an interval at least. */
  #patienceMs(): number {
    const { interval, timeout } = this.#options;
    const { maxMs, received } = this.statistics;
    const patience = received === 0 ? Infinity : Math.max(2 * maxMs, interval * 1000);
    return Math.min(timeout * 1000, patience);
  }

  async #send(sequence: number, signal: AbortSignal): Promise<void> {
    const now = performance.now();
    try {
      const sent = this.#echo.send(sequence, signal);
      this.statistics.sent(sequence, now);
      await sent;
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      if (sequence === 1) {
        this.statistics.transmitted = 0;
        throw error;
      }
      this.statistics.errors++;
      note(error.message); // no route just now, a full queue, a firewall: the next may go
    }
  }

  async #tell(answer: Answer): Promise<void> {
    const { kind, sequence } = answer;
    if (kind === "refusal") {
      this.statistics.errors++;
      await this.#print(`From ${answer.from} icmp_seq=${sequence} ${answer.problem}`);
    } else {
      const ms = this.statistics.replied(sequence, performance.now(), answer.ms);
      if (ms === undefined) return;
      const hops = answer.hops === undefined ? "" : ` ttl=${answer.hops}`;
      await this.#print(
        `${answer.bytes} bytes from ${answer.from}: icmp_seq=${sequence}${hops} time=${formatMs(ms)} ms`,
      );
    }
    if (this.#isDone()) this.#over.abort();
  }

  /** Nothing is owed any more: each was answered, or refused. */
  #isDone(): boolean {
    const { errors, received, transmitted } = this.statistics;
    return transmitted === this.#options.count && received + errors >= transmitted;
  }
}
