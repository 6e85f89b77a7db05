// `berkeley capture`: the packets of an interface as lines, and into a file, as tcpdump(8).

import type { Command } from "commander";
import { SocketError } from "../index.ts";
import { FilterError } from "../packet/index.ts";
import { CaptureFile, STANDARD_OUTPUT } from "./capture-file.ts";
import { PacketSource, SNAP_BYTES } from "./capture-source.ts";
import type { Captured } from "./capture-source.ts";
import { linesOf } from "./capture-text.ts";
import { UsageError } from "./endpoint.ts";
import { CommandError, EXIT, OutputClosedError } from "./failure.ts";
import { renderBytes } from "./render.ts";
import { note, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";
import { parseWhole } from "./whole.ts";

interface CaptureOptions {
  readonly interface?: string;
  readonly filter?: string;
  readonly write?: string;
  readonly count?: number;
  readonly hex?: boolean;
  readonly promiscuous?: boolean;
  readonly quiet?: boolean;
}

/** Adds the subcommand to the program. */
export function addCapture(program: Command): void {
  program
    .command("capture")
    .description("print the packets of an interface, a line each, until Ctrl-C")
    .option("-I, --interface <name>", "of this interface alone; without it, of all")
    .option(
      "-f, --filter <expression>",
      "only those that match, as tcpdump has it: 'tcp port 80 and host 10.0.0.1'",
    )
    .option(
      "-w, --write <file>",
      "also into a pcapng file; - is standard output, and then nothing is printed",
    )
    .option("-c, --count <n>", "end after so many packets", parseWhole("--count", 1, 2 ** 31 - 1))
    .option("-x, --hex", "print what is in them too, in hexadecimal and as text")
    .option("-p, --promiscuous", "also what the interface would pass over, for it is for others")
    .option("-q, --quiet", "print no packets: for --write")
    .addHelpText("after", "\nIt needs root or the capability CAP_NET_RAW. Addresses and ports stay numbers.")
    .action(async (options: CaptureOptions) => {
      if (options.promiscuous === true && options.interface === undefined)
        throw new UsageError("--promiscuous needs an --interface");
      await runCapture(options);
    });
}

/** Why the capture cannot begin. */
function reasonOf(name: string, { code, message, syscall }: SocketError): string {
  switch (code) {
    case "EPERM":
    case "EACCES":
      return "it needs root or the capability CAP_NET_RAW";
    case "ENODEV":
      return `there is no interface ${name}`;
    case "ENOMEM":
      return syscall === "setsockopt" ? "the filter is longer than net.core.optmem_max allows" : message;
    default:
      return message;
  }
}

const shownName = (name: string | undefined): string =>
  name === undefined ? "all interfaces" : renderBytes(Buffer.from(name));

/** @throws {CommandError} it cannot begin. @throws {UsageError} the filter cannot be read. */
function open(options: CaptureOptions): PacketSource {
  const { filter, interface: name, promiscuous = false } = options;
  try {
    return new PacketSource({ interface: name, filter, promiscuous });
  } catch (error) {
    if (error instanceof FilterError) throw new UsageError(error.message);
    if (!(error instanceof SocketError)) throw error;
    const shown = shownName(name);
    throw new CommandError(`cannot capture on ${shown}: ${reasonOf(shown, error)}`, EXIT.NETWORK, error);
  }
}

async function runCapture(options: CaptureOptions): Promise<void> {
  const { interface: name, write } = options;
  using source = open(options);
  using stop = stopOnSignals();
  const output = new Output();
  const { linkType } = source;
  const about = { linkType, snapBytes: SNAP_BYTES, filter: options.filter, interface: name };
  await using file = write === undefined ? undefined : await CaptureFile.begin(write, output, about);
  note(`capturing on ${shownName(name)}; Ctrl-C ends it`);
  const capture = new Capture(source, output, file, options);
  let hasReader = true;
  try {
    await capture.untilOver(stop.signal);
  } catch (error) {
    if (error instanceof OutputClosedError) hasReader = false;
    if (!(error instanceof SocketError && error.code === "ENETDOWN")) throw error;
    throw new CommandError(`${shownName(name)} is down, or has gone`, EXIT.NETWORK, error);
  } finally {
    const { drops, packets } = source.statistics();
    file?.finish(packets, drops);
    if (hasReader) {
      await file?.flush();
      note(`${capture.count} packets captured, ${packets} passed the filter, ${drops} dropped by the kernel`);
    }
  }
}

/** Packets on their way from the kernel to where they are wanted. */
class Capture {
  /** How many were captured. */
  count = 0;
  readonly #source: PacketSource;
  readonly #output: Output;
  readonly #file: CaptureFile | undefined;
  readonly #options: CaptureOptions;
  readonly #prints: boolean;
  readonly #countMax: number;

  constructor(source: PacketSource, output: Output, file: CaptureFile | undefined, options: CaptureOptions) {
    this.#source = source;
    this.#output = output;
    this.#file = file;
    this.#options = options;
    this.#countMax = options.count ?? Infinity;
    this.#prints = options.quiet !== true && options.write !== STANDARD_OUTPUT;
  }

  /** Until there were enough, or the signal. */
  async untilOver(signal: AbortSignal): Promise<void> {
    while (this.count < this.#countMax) {
      let came: number;
      try {
        came = await this.#source.receive(signal);
      } catch (error) {
        if (signal.aborted && error === signal.reason) return;
        throw error;
      }
      await this.#pass(came);
    }
  }

  /** Those that came, all at once: one write for many. */
  async #pass(came: number): Promise<void> {
    let text = "";
    for (let i = 0; i < came && this.count < this.#countMax; i++) {
      const captured = this.#source.packet(i);
      if (captured === undefined) continue;
      this.count++;
      this.#file?.add(captured);
      if (this.#prints) text += this.#textOf(captured);
    }
    await this.#file?.flush();
    if (text !== "") await this.#output.write(text);
  }

  #textOf(captured: Captured): string {
    const { hex = false, interface: name } = this.#options;
    return `${linesOf(captured, name === undefined, hex).join("\n")}\n`;
  }
}
