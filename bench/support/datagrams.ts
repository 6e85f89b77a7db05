// The other end of a server over UDP, and how many datagrams there were meanwhile. The server counts, for of what was sent
// to it the kernel drops what it has no room for. Knows native/udp.c; not what is asked.
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { nativeProgram } from "./native.ts";
import { LOAD_CORE, Program } from "./program.ts";
import type { Conditions } from "./question.ts";
import { askCount, type Count, type Server } from "./server.ts";

/** What went on while it was measured. */
export interface Flow {
  /** Datagrams a second that the server received or sent, by its own clock. */
  readonly perSecond: number;
  /** Processor microseconds of the server for each. */
  readonly processorUs: number;
  /** Datagrams a second that the other end sent or received. */
  readonly otherEndPerSecond: number;
}

/** Let the server receive all that one core can send (GSO, so that it is no limit). */
export async function flood(server: Server, conditions: Conditions): Promise<Flow> {
  await using source = new Program([nativeProgram("udp"), "udp-send-gso"], LOAD_CORE);
  await portOf(source);
  source.writeLine(`target ${server.port}`);
  await source.nextLine();
  return await measure(server, source, conditions);
}

/** Let the server send to one that takes it all (GRO, so that one core suffices). */
export async function drain(server: Server, conditions: Conditions): Promise<Flow> {
  await using sink = new Program([nativeProgram("udp"), "udp-receive-gro"], LOAD_CORE);
  await server.target(await portOf(sink));
  return await measure(server, sink, conditions);
}

/** The port that a program tells first. */
export async function portOf(program: Program): Promise<number> {
  return Number(/^port (\d+)$/.exec(await program.nextLine())?.[1]);
}

async function measure(server: Server, other: Program, { seconds, warmup }: Conditions): Promise<Flow> {
  // A runtime that has just started may take a while to its first.
  for (let tries = 0; (await server.count()).datagrams === 0; tries++) {
    if (tries === FIRST_TRIES) throw new Error("no datagram arrived");
    await sleep(FIRST_PAUSE_MS);
  }
  await sleep(warmup * 1e3);
  const before = await read(server, other);
  const size = before.own.bytes / before.own.datagrams;
  if (size !== DATAGRAM_BYTES)
    throw new Error(`a datagram has ${size} bytes, not ${DATAGRAM_BYTES}: ${JSON.stringify(before.own)}`);
  await sleep(seconds * 1e3);
  const after = await read(server, other);
  const datagrams = after.own.datagrams - before.own.datagrams;
  return {
    perSecond: rate(before.own, after.own),
    processorUs: ((after.processorSeconds - before.processorSeconds) / datagrams) * 1e6,
    otherEndPerSecond: rate(before.other, after.other),
  };
}

const FIRST_TRIES = 500;
const FIRST_PAUSE_MS = 20;
const DATAGRAM_BYTES = 1200; // Of native/udp.c and servers/control.ts.

interface Reading {
  readonly own: Count;
  readonly other: Count;
  readonly processorSeconds: number;
}

async function read(server: Server, other: Program): Promise<Reading> {
  const [own, others] = await Promise.all([server.count(), askCount(other)]);
  return { own, other: others, processorSeconds: await processorSeconds(server.pid) };
}

function rate(before: Count, after: Count): number {
  return ((after.datagrams - before.datagrams) / (after.ms - before.ms)) * 1e3;
}

const TICKS_PER_SECOND = 100; // USER_HZ, the unit of /proc: 100 on every architecture Node runs on.

/** Processor time of a whole process so far, user and system: proc(5), stat fields 14 and 15. */
export async function processorSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const [user = 0, system = 0] = stat
    .slice(stat.lastIndexOf(")") + 2)
    .split(" ")
    .slice(11, 13)
    .map(Number);
  return (user + system) / TICKS_PER_SECOND;
}
