// What every JavaScript server of the bench shares: its command line, the port line, and obedience to
// the harness over standard input. Runs on Node, Bun and Deno; knows nothing of sockets.
//
//   gc              collect garbage as far as the runtime allows        answer: {}
//   target PORT     relay connections that come from now on to that port of 127.0.0.1, or begin to send to it     answer: {}
//   count           what was received or sent so far       answer: {"datagrams":…,"bytes":…,"ms":…}, ms of its own clock
//   delay SECONDS   watch the event loop's delay for that long          answer: {"p50Ms":…,"p99Ms":…,"maxMs":…}
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

/** Length of every server's accept queue. Bun's cannot be chosen and is 512. */
export const BACKLOG = 512;

/** Bytes of one read's buffer, and of one write where a server sends without a pause. */
export const CHUNK_BYTES = 65_536;

/** What a server is asked to do with each connection. */
export type Job =
  | "echo"
  | "echo-into"
  | "echo-stream"
  | "echo-duplex"
  | "echo-unwatched"
  | "echo-watched-close"
  | "echo-watched-bytes"
  | "receive"
  | "receive-into"
  | "send"
  | "exchange"
  | "exchange-serve"
  | "exchange-shared"
  | "exchange-reuseport"
  | "exchange-work-one"
  | "exchange-work-all"
  | "idle"
  | "relay"
  | "relay-into"
  | "udp-receive"
  | "udp-receive-into"
  | "udp-receive-batch"
  | "udp-receive-gro"
  | "udp-send"
  | "udp-send-batch"
  | "udp-send-gso"
  | "tls-echo"
  | "tls-echo-wrapped"
  | "tls-receive"
  | "tls-receive-loaded"
  | "tls-send"
  | "http"
  | "http-fetch"
  | "http-fetch-light"
  | "http-hono"
  | "http-hono-light"
  | "ws-echo"
  | "ws-echo-pull"
  | "ws-idle"
  | "ws-broadcast"
  | "http-client"
  | "http-client-agent"
  | "http-client-fetch";

/** The small answer of the http jobs, and the large one. */
export const HELLO = "hello";
export const LARGE: Uint8Array<ArrayBuffer> = new Uint8Array(1_048_576).fill(120);

/** Workers, or processes, of the work jobs: one for each core. */
export const WORKERS: number = availableParallelism();
/** What the work jobs work on: so much that all else about a connection is little. */
const WORK: Uint8Array = new Uint8Array(524_288);

/** The work for one connection; about a millisecond. */
export function work(): void {
  createHash("sha256").update(WORK).digest();
}

/** What the tls- jobs show: support/certificate.ts has made it. */
export function tlsIdentity(): { readonly certificate: string; readonly key: string } {
  const read = (name: string): string => readFileSync(new URL(`../tls/${name}.pem`, import.meta.url), "utf8");
  return { certificate: read("certificate"), key: read("key") };
}

/** Where the relay job relays to, once the harness has said it. */
export const target: { port: number } = { port: 0 };

let begin: (port: number) => void;
/** Where datagrams go, when the harness says it. */
export const targeted: Promise<number> = new Promise((resolve) => {
  begin = resolve;
});

/** What the udp- jobs have received or sent; of the http-client jobs, answers and the bytes of their contents. */
export const counted: { datagrams: number; bytes: number } = { datagrams: 0, bytes: 0 };

/** Requests that a client has under way at a time, each on a connection of its own. */
export const UNDER_WAY = 64;

/** Asks the target again and again, UNDER_WAY at a time, and counts what is answered. */
export async function askOn(ask: (url: string) => Promise<string>): Promise<void> {
  const url = `http://127.0.0.1:${await targeted}/`;
  const on = async (): Promise<never> => {
    for (;;) {
      const content = await ask(url);
      if (content !== HELLO) throw new Error(`another answer: ${content}`);
      counted.datagrams++;
      counted.bytes += content.length;
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, on));
}

/** Bytes of each datagram that is sent. */
export const DATAGRAM_BYTES = 1200;
/** The queue that a receiving socket asks for, where its API lets it. */
export const QUEUE_BYTES = 4_194_304;
/** Datagrams handed over at a time by those who send many. */
export const DATAGRAMS_AT_A_TIME = 64;

/** The job named on the command line, out of those that this server can do. */
export function chosenJob<Known extends Job>(known: readonly Known[]): Known {
  const name = process.argv[2];
  const job = known.find((candidate) => candidate === name);
  if (job === undefined) throw new TypeError(`the job "${name}" is none of ${known.join(", ")}`);
  return job;
}

/** Tell the harness where this server listens, then do what it asks until it goes away. */
export function announce(port: number): void {
  console.log(`port ${port}`);
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text: string) => void obey(text.trim()));
  process.stdin.on("end", () => process.exit());
}

/** Throw the error unless it is only the news that the client has gone: the generator leaves by reset. */
export function ignoreDeparture(error: unknown): void {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code !== "ECONNRESET" && code !== "EPIPE") throw error;
}

async function obey(command: string): Promise<void> {
  const [verb, argument] = command.split(" ");
  if (verb === "gc") console.log(JSON.stringify(await collectGarbage()));
  else if (verb === "target") console.log(JSON.stringify(setTarget(Number(argument))));
  else if (verb === "count") console.log(JSON.stringify({ ...counted, ms: performance.now() }));
  else if (verb === "delay") console.log(JSON.stringify(await watchDelay(Number(argument))));
  else throw new TypeError(`unknown command "${command}"`);
}

function setTarget(port: number): object {
  target.port = port;
  begin(port);
  return {};
}

// More than once, with turns of the loop between: what finalizers let go is collected by the next.
async function collectGarbage(): Promise<object> {
  for (let pass = 0; pass < 3; pass++) {
    globalThis.gc?.();
    await sleep(20);
  }
  return {};
}

// A timer is due every RESOLUTION_MS; how late it fires is the delay of other work on this loop. Node's
// histogram holds the whole interval, from which its period is taken off here.
const RESOLUTION_MS = 1;

async function watchDelay(seconds: number): Promise<object> {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  await sleep(seconds * 1_000);
  histogram.disable();
  const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
  return {
    p50Ms: late(histogram.percentile(50)),
    p99Ms: late(histogram.percentile(99)),
    maxMs: late(histogram.max),
  };
}
