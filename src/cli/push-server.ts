// The service of `berkeley push`: a page, and the lines of a file or of standard input by WebSocket, to all who look. How a file
// is followed, follow-file.ts knows; what a line is, push-lines.ts; how it looks, push-page.ts.
//
// Who may look. A browser lets every page open a WebSocket to this machine, so a page of another origin is not let in; and a
// stranger's name may be made to lead to this machine (DNS rebinding), so of names only those are answered to that were meant:
// addresses, localhost, this machine's name, what is listened on, and --name.

import { randomUUID } from "node:crypto";
import { stat } from "node:fs/promises";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { basename, resolve } from "node:path";
import { serve } from "../http/index.ts";
import type { HttpReply, HttpRequest } from "../http/index.ts";
import { accept, Topics } from "../websocket/index.ts";
import { CONNECTIONS_MAX } from "./crowd.ts";
import { CommandError, EXIT, isExpected } from "./failure.ts";
import { followFile } from "./follow-file.ts";
import { LastLines, LineCutter } from "./push-lines.ts";
import { PAGE } from "./push-page.ts";
import { renderBytes } from "./render.ts";
import { Input, note, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";
import type { TlsFlags } from "./tls-options.ts";
import { DRAIN_MS, prepareWeb } from "./web.ts";

/** As commander gives them. */
export interface PushOptions extends TlsFlags {
  readonly listen: string;
  readonly lines: number;
  readonly name: readonly string[];
}

const TOPIC = "lines";
/** What of a file is read at first. */
const LAST_BYTES = 1_048_576;
/** What may wait for one viewer: what was kept, several times over. Who is slower is closed (1013), and comes again. */
const VIEWER_BYTES_MAX = 4_194_304;
/** Viewers say nothing. */
const LIMITS = { frameBytesMax: 125, messageBytesMax: 125, decompressedBytesMax: 125 } as const;
const CLOSE_POLICY = 1008;
const STDIN = "-";
const TEXT = { "Content-Type": "text/plain; charset=utf-8" } as const;

/**
 * Pushes until a signal.
 *
 * @throws {EndpointError} it cannot listen. @throws {CommandError} the file cannot be read. @throws {UsageError}
 */
export async function pushLines(path: string, options: PushOptions): Promise<void> {
  const openWeb = await prepareWeb(options.listen, options);
  const name = path === STDIN ? "standard input" : renderBytes(Buffer.from(basename(path)));
  if (path !== STDIN) await checkFile(path);
  using stop = stopOnSignals();
  const output = new Output();
  const web = await openWeb();
  const push = new Push(name, options.lines, namesOf(web.host, options.name));
  let failure: { readonly error: unknown } | undefined;
  const over = new AbortController();
  const fail = (error: unknown): void => {
    failure ??= { error };
    over.abort();
  };
  const signal = AbortSignal.any([stop.signal, over.signal]);
  await using server = await serve({
    listener: web.listener,
    scheme: web.scheme,
    connectionsMax: CONNECTIONS_MAX,
    handle: (request, reply) => push.handle(request, reply),
    drainTimeoutMs: DRAIN_MS,
    signal,
    onError: (error) => (isExpected(error) ? note(error.message) : fail(error)),
  });
  try {
    await output.write(`pushing ${name} on ${web.url}\n`);
    const source = path === STDIN ? fromInput(push, signal) : fromFile(push, path, signal);
    await source.catch((error: unknown) => fail(asCommand(name, error)));
    push.open();
    await server.finished;
  } finally {
    web.close();
  }
  if (failure !== undefined) throw failure.error;
}

async function fromFile(push: Push, path: string, signal: AbortSignal): Promise<void> {
  let cutter = new LineCutter();
  for await (const event of followFile(resolve(path), LAST_BYTES, signal))
    if (event.type === "begin") cutter = new LineCutter(event.isInside);
    else if (event.type === "bytes") push.add(cutter.push(event.bytes));
    else if (event.type === "current") push.open();
    else {
      push.add(cutter.end());
      push.add([], event.type === "truncated" ? "the file was truncated" : "the file was replaced");
    }
}

async function fromInput(push: Push, signal: AbortSignal): Promise<void> {
  const cutter = new LineCutter();
  using input = new Input();
  push.open();
  for (let bytes = await input.next(signal); bytes !== undefined; bytes = await input.next(signal))
    push.add(cutter.push(bytes));
  if (!signal.aborted) push.add(cutter.end(), "standard input has ended");
}

/** @throws {CommandError} there is no such file. */
async function checkFile(path: string): Promise<void> {
  const name = renderBytes(Buffer.from(path));
  let isFile: boolean;
  try {
    isFile = (await stat(path)).isFile();
  } catch (error) {
    throw asCommand(name, error);
  }
  if (!isFile)
    throw new CommandError(`cannot push ${name}: it is no file (- is standard input)`, EXIT.NETWORK);
}

function asCommand(name: string, error: unknown): unknown {
  return isExpected(error)
    ? new CommandError(`cannot push ${name}: ${error.message}`, EXIT.NETWORK, error)
    : error;
}

/** The host names that are answered to. */
function namesOf(host: string | undefined, given: readonly string[]): Set<string> {
  return new Set(["localhost", hostname(), host ?? "", ...given].map((name) => name.toLowerCase()));
}

/** What is pushed, and who looks. */
class Push {
  readonly #name: string;
  readonly #names: ReadonlySet<string>;
  readonly #last: LastLines;
  readonly #topics = new Topics({ bufferedBytesMax: VIEWER_BYTES_MAX });
  /** By which a viewer that comes again sees whether the numbers are still those of before. */
  readonly #run: string = randomUUID();
  /** When what was there at first is kept: who looks before gets no more of it than who looks later. */
  readonly #opened: Promise<void>;
  /** Lets viewers see what is kept, and what comes. */
  open!: () => void;

  constructor(name: string, linesMax: number, names: ReadonlySet<string>) {
    this.#name = name;
    this.#names = names;
    this.#last = new LastLines(linesMax);
    this.#opened = new Promise((done) => (this.open = done));
  }

  /** Pushes lines, and what happened behind them. */
  add(lines: readonly string[], said?: string): void {
    const first = this.#last.add(lines);
    if (lines.length > 0) this.#topics.publish(TOPIC, JSON.stringify({ first, lines }));
    if (said !== undefined)
      this.#topics.publish(TOPIC, JSON.stringify({ note: said, first: first + lines.length, lines: [] }));
  }

  /** Answers one request. */
  async handle(request: HttpRequest, reply: HttpReply): Promise<void> {
    const authority = request.fields.get("host") ?? "";
    const host = authority
      .replace(/:\d*$/, "")
      .replaceAll(/^\[|\]$/g, "")
      .toLowerCase();
    if (isIP(host) === 0 && !host.endsWith(".localhost") && !this.#names.has(host))
      return reply.send(421, TEXT, "not by this name: berkeley push --name NAME says which ones\n");
    const file = PAGE.get(request.path);
    if (file !== undefined && ["GET", "HEAD"].includes(request.method))
      return reply.send(200, file.fields, file.body);
    if (file !== undefined) return reply.send(405, { ...TEXT, Allow: "GET, HEAD" }, "only to be read\n");
    if (request.path !== "/lines") return reply.send(404, TEXT, "not here\n");
    await this.#view(request, reply, authority.toLowerCase());
  }

  async #view(request: HttpRequest, reply: HttpReply, authority: string): Promise<void> {
    const origins = (origin: string | undefined): boolean =>
      origin === undefined || origin.replace(/^https?:\/\//, "") === authority;
    const socket = await accept(request, reply, { origins, limits: LIMITS, closeTimeoutMs: DRAIN_MS });
    if (socket === undefined) return;
    await this.#opened;
    // In one go: no line comes between what was kept and what follows.
    const { first, lines } = this.#last;
    void socket.send(JSON.stringify({ run: this.#run, name: this.#name, first, lines })).catch(() => {});
    this.#topics.subscribe(socket, TOPIC);
    await socket.each(() => socket.close(CLOSE_POLICY, "viewers say nothing"));
  }
}
