// What a server of HTTP may be told: names, defaults and where they come from, and what is refused. It does nothing with
// them.

import { invalidArgument } from "../../socket/errors.ts";
import { checkAmount, checkLimits, checkTime } from "../checks.ts";
import type { HttpLimits } from "../syntax/limits.ts";
import { compressionOf } from "./compression.ts";
import type { CompressOptions, Compression } from "./compression.ts";

/** How long one connection may keep a server waiting, and for how much. Times are milliseconds above 0; Infinity: no limit. */
export interface ConnectionOptions {
  /** Limits of the parser, over HTTP_LIMITS; bodyBytesMax is 128 MiB here, as Bun's maxRequestBodySize. */
  readonly limits?: Partial<HttpLimits> | undefined;
  /** For the first byte of a request, on a new connection too. Default 60000; nginx's keepalive_timeout is 75 s. */
  readonly keepAliveTimeoutMs?: number | undefined;
  /** From the first byte of a request to the end of its head. Default 20000, as Apache's RequestReadTimeout. */
  readonly headTimeoutMs?: number | undefined;
  /** For the next piece of a request's content. Default 20000, as Apache's RequestReadTimeout. */
  readonly bodyTimeoutMs?: number | undefined;
  /**
   * Bytes of content that each second of waiting must bring, or the request is too slow; the first bodyTimeoutMs are free.
   * Default 500, as Apache's RequestReadTimeout; 0: none.
   */
  readonly bodyBytesPerSecondMin?: number | undefined;
  /** For the peer to take each 64 KiB of an answer. Default 30000: two kilobytes a second. */
  readonly sendTimeoutMs?: number | undefined;
  /** Requests on one connection; the last one's answer says that it was. Default 10000. */
  readonly requestsMax?: number | undefined;
  /**
   * Content that a handler did not read and that is dropped so that the connection lives on; with more it is closed.
   * Default 262144, as Go's.
   */
  readonly unreadBytesMax?: number | undefined;
  /**
   * Compresses answers of text for clients that take it: true, or how. Default: not. Over TLS a page that holds a secret
   * and repeats what a request said lets the secret be guessed by its length (BREACH): leave it off for those.
   */
  readonly compress?: boolean | CompressOptions | undefined;
  /**
   * Told what a handler threw that is not the peer's fault, and that it did not answer. Default: a process warning with
   * the code BERKELEY_HANDLER.
   */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/** All of them, checked. */
export interface CheckedOptions {
  readonly limits: HttpLimits;
  readonly keepAliveTimeoutMs: number;
  readonly headTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly bodyBytesPerSecondMin: number;
  readonly sendTimeoutMs: number;
  readonly requestsMax: number;
  readonly unreadBytesMax: number;
  readonly compression: Compression | undefined;
  readonly onError: (error: unknown) => void;
}

const BODY_BYTES_MAX = 134_217_728;

const DEFAULTS = {
  keepAliveTimeoutMs: 60_000,
  headTimeoutMs: 20_000,
  bodyTimeoutMs: 20_000,
  bodyBytesPerSecondMin: 500,
  sendTimeoutMs: 30_000,
  requestsMax: 10_000,
  unreadBytesMax: 262_144,
} as const;

type Amount = keyof typeof DEFAULTS;
/** The least that each may be. */
const LEAST: Readonly<Partial<Record<Amount, number>>> = {
  requestsMax: 1,
  unreadBytesMax: 0,
  bodyBytesPerSecondMin: 0,
};

function amount(options: ConnectionOptions, name: Amount): number {
  const value = options[name] ?? DEFAULTS[name];
  const least = LEAST[name];
  return least === undefined
    ? checkTime(`options.${name}`, value)
    : checkAmount(`options.${name}`, value, least);
}

/** @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option. */
export function checkOptions(options: ConnectionOptions): CheckedOptions {
  const { onError = warn } = options;
  if (typeof onError !== "function") throw invalidArgument("options.onError", "a function", onError);
  return {
    limits: checkLimits(options.limits, BODY_BYTES_MAX),
    keepAliveTimeoutMs: amount(options, "keepAliveTimeoutMs"),
    headTimeoutMs: amount(options, "headTimeoutMs"),
    bodyTimeoutMs: amount(options, "bodyTimeoutMs"),
    bodyBytesPerSecondMin: amount(options, "bodyBytesPerSecondMin"),
    sendTimeoutMs: amount(options, "sendTimeoutMs"),
    requestsMax: amount(options, "requestsMax"),
    unreadBytesMax: amount(options, "unreadBytesMax"),
    compression: checkCompression(options.compress),
    onError,
  };
}

function checkCompression(given: boolean | CompressOptions | undefined): Compression | undefined {
  if (given === undefined || given === false) return undefined;
  if (given === true) return compressionOf({});
  if (typeof given !== "object" || given === null)
    throw invalidArgument("options.compress", "a boolean or an object", given);
  return compressionOf(given);
}

function warn(error: unknown): void {
  const shown = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`a handler of HTTP failed: ${shown}`, { code: "BERKELEY_HANDLER" });
}
