// What `berkeley http` does: one request, and its answer to standard output or into a file. Where the answer goes,
// http-output.ts knows; the command line, http.ts.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { HttpClient, RequestTimeoutError } from "../http/index.ts";
import type { HttpResponse, RequestContent, RequestOptions, RequestTls } from "../http/index.ts";
import { AddressError, SocketError } from "../index.ts";
import { TlsError } from "../tls/errors.ts";
import { LocalProtocolError, ProtocolError } from "../wire/index.ts";
import { UsageError } from "./endpoint.ts";
import { CommandError, EXIT, isExpected, unresolved } from "./failure.ts";
import { openTarget } from "./http-output.ts";
import type { Target } from "./http-output.ts";
import { renderBytes } from "./render.ts";
import { Output } from "./stdio.ts";
import { checkTlsFlags } from "./tls-options.ts";
import type { TlsFlags } from "./tls-options.ts";

/** As commander gives them. */
export interface HttpOptions extends TlsFlags {
  readonly request?: string;
  readonly header: readonly string[];
  readonly data?: string;
  readonly include: boolean;
  readonly head: boolean;
  readonly output?: string;
  readonly resume: boolean;
  readonly progress?: boolean;
  readonly location: boolean;
  readonly compressed: boolean;
  readonly fail: boolean;
  readonly proxy?: string;
  readonly unixSocket?: string;
  readonly timeout?: number;
}

/** Redirections that --location follows, as the fetch standard has it. */
const REDIRECTS_MAX = 20;
const OK = 200;
const PARTIAL_CONTENT = 206;
const RANGE_NOT_SATISFIABLE = 416;
const STATUS_FAILED = 400;

/**
 * Sends a request and writes its answer.
 *
 * @throws {UsageError} what was asked for cannot be sent. @throws {CommandError} it failed, in words.
 */
export async function runHttp(text: string, options: HttpOptions): Promise<void> {
  const url = readUrl(text);
  if (options.resume && options.output === undefined) throw new UsageError("--resume goes with --output");
  if (options.resume && (options.compressed || options.data !== undefined || options.head))
    throw new UsageError("--resume goes without --compressed, --data and --head");
  const tls = await tlsOf(options, url);
  const output = new Output();
  await using target = await openTarget(options, output);
  await using client = new HttpClient({ path: options.unixSocket, proxy: options.proxy, tls });
  try {
    const response = await client.request(url, await requestOf(options, target));
    await write(response, options, target, output);
  } catch (error) {
    throw explained(error, url, target);
  }
}

/** How https: is to be spoken; undefined: as it is usual. @throws {UsageError} the options do not fit. */
async function tlsOf(options: HttpOptions, { protocol }: URL): Promise<RequestTls | undefined> {
  const { ca, cert, key, insecure } = options;
  const given = [ca, cert, key, insecure].some((flag) => flag !== undefined);
  // A redirection may lead to https:.
  if (given && protocol !== "https:" && !options.location)
    throw new UsageError("--ca, --cert, --key and --insecure are for https:// URLs");
  if (!given) return undefined;
  checkTlsFlags(options, { connects: true, listens: false });
  const { requestTls } = await import("./tls-ends.ts");
  return requestTls(options);
}

/** @throws {UsageError} it is no URL of HTTP. */
function readUrl(text: string): URL {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  if (!URL.canParse(whole))
    throw new UsageError(`${JSON.stringify(text)} is not a URL: write it as http://HOST/PATH`);
  const url = new URL(whole);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new UsageError(`${url.protocol}// is not known here; known are http:// and https://`);
  return url;
}

async function requestOf(options: HttpOptions, target: Target): Promise<RequestOptions> {
  const headers = options.header.map(readHeader);
  const given = new Set(headers.map(([name]) => name.toLowerCase()));
  const add = (name: string, value: string): void => {
    if (!given.has(name.toLowerCase())) headers.push([name, value]);
  };
  add("User-Agent", "berkeley");
  add("Accept", "*/*");
  let body: RequestContent | undefined;
  if (options.data !== undefined) {
    const content = await contentOf(options.data);
    body = content.body;
    add("Content-Type", "application/x-www-form-urlencoded");
    if (content.length !== undefined) add("Content-Length", String(content.length));
  }
  if (options.resume && target.length > 0) add("Range", `bytes=${target.length}-`);
  const method = options.request ?? (options.head ? "HEAD" : body === undefined ? "GET" : "POST");
  return {
    method,
    headers,
    body,
    decompress: options.compressed,
    redirectsMax: options.location ? REDIRECTS_MAX : 0,
    totalTimeoutMs: options.timeout === undefined ? undefined : options.timeout * 1000,
  };
}

/** @throws {UsageError} it has no colon. */
function readHeader(line: string): [string, string] {
  const colon = line.indexOf(":");
  if (colon < 1) throw new UsageError(`--header is 'Name: value', not ${JSON.stringify(line)}`);
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** @throws {CommandError} there is no such file. */
async function contentOf(data: string): Promise<{ body: RequestContent; length?: number }> {
  if (!data.startsWith("@")) return { body: data };
  const path = data.slice(1);
  if (path === "-") return { body: process.stdin };
  try {
    const { size } = await stat(path);
    return { body: createReadStream(path), length: size };
  } catch (error) {
    if (!isExpected(error)) throw error;
    throw new CommandError(
      `cannot read ${renderBytes(Buffer.from(path))}: ${error.message}`,
      EXIT.NETWORK,
      error,
    );
  }
}

async function write(
  response: HttpResponse,
  options: HttpOptions,
  target: Target,
  output: Output,
): Promise<void> {
  const { status, reason, version, headers } = response;
  if (options.include || options.head)
    await output.write(
      Buffer.from(`HTTP/${version} ${status} ${reason}\r\n${headers.toString()}\r\n`, "latin1"),
    );
  const failed = options.fail && status >= STATUS_FAILED;
  if (
    options.resume &&
    status === RANGE_NOT_SATISFIABLE &&
    headers.get("content-range") === `bytes */${target.length}`
  ) {
    response.close(); // It is all here.
    return;
  }
  const range = status === PARTIAL_CONTENT && options.resume ? headers.get("content-range") : undefined;
  const isRest = status === OK || range !== undefined;
  // What is said instead of the rest is not what the file has a part of.
  if (failed || (options.resume && !isRest)) {
    response.close();
    throw new CommandError(`the server answered ${status} ${reason}`.trimEnd(), EXIT.NETWORK);
  }
  await target.begin(range);
  const length = typeof response.body === "number" && !options.compressed ? response.body : undefined;
  target.expect(options.head ? 0 : length);
  for await (const piece of response) await target.write(piece);
}

/** What failed, in words; an error that is a fault of ours is left as it is. */
function explained(error: unknown, { host, hostname }: URL, { isFile, length }: Target): unknown {
  const fail = (words: string): CommandError => new CommandError(words, EXIT.NETWORK, error);
  const kept =
    isFile && length > 0 ? `; ${length} bytes are in the file, and --resume goes on from there` : "";
  if (error instanceof AddressError)
    return fail(`cannot connect to ${host}: ${unresolved(hostname, error) ?? error.message}`);
  if (error instanceof SocketError || error instanceof TlsError || error instanceof RequestTimeoutError)
    return fail(`${error.message}${kept}`);
  if (error instanceof LocalProtocolError) return new UsageError(error.message);
  if (error instanceof ProtocolError) return fail(`${error.message} (${error.code})${kept}`);
  if (error instanceof TypeError && "code" in error) return new UsageError(error.message);
  return error;
}
