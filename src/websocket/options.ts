// What a connection may be told: names, defaults and where they come from, and what is refused. It does nothing with them.

import { TIMEOUT_MS_MAX } from "../socket/base.ts";
import { invalidArgument, outOfRange } from "../wire/misuse.ts";
import type { CompressionOptions } from "./compression.ts";
import { limitsFrom } from "./syntax/limits.ts";
import type { WebSocketLimits } from "./syntax/limits.ts";

/** Limits and times of one connection. Times are milliseconds above 0; Infinity: no limit. */
export interface WebSocketOptions {
  /** Over WEBSOCKET_LIMITS: a frame, a message and a decompressed message are 1 MiB at most. */
  readonly limits?: Partial<WebSocketLimits> | undefined;
  /**
   * Agrees to compress messages, or how; default false, as in ws: it costs more of the processor than of the network.
   * Where a message holds a secret beside what a stranger has chosen, its length tells of the secret: leave it off there.
   */
  readonly compression?: boolean | CompressionOptions | undefined;
  /** A peer that is silent for so long is pinged. Default 20000, as in Python's websockets. */
  readonly pingIntervalMs?: number | undefined;
  /** For any sign of life from there; what does not come ends the connection. Default 20000, likewise. */
  readonly pongTimeoutMs?: number | undefined;
  /** For the peer's Close, and for its end behind it. Default 10000, likewise. */
  readonly closeTimeoutMs?: number | undefined;
  /** For the peer to take each 256 KiB. Default 30000, as the server's of berkeley/http. */
  readonly sendTimeoutMs?: number | undefined;
}

/** All of them, checked. */
export interface CheckedOptions {
  readonly limits: WebSocketLimits;
  readonly compression: CompressionOptions | undefined;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly sendTimeoutMs: number;
}

const TIMES = {
  pingIntervalMs: 20_000,
  pongTimeoutMs: 20_000,
  closeTimeoutMs: 10_000,
  sendTimeoutMs: 30_000,
} as const;

/** A time above 0; Infinity for all that no timer can wait for. */
export function checkTime(name: string, ms: number): number {
  if (typeof ms !== "number") throw invalidArgument(name, "a number", ms);
  if (!(ms > 0)) throw outOfRange(name, "above 0", ms);
  return ms > TIMEOUT_MS_MAX ? Infinity : ms;
}

function time(options: WebSocketOptions, name: keyof typeof TIMES): number {
  return checkTime(`options.${name}`, options[name] ?? TIMES[name]);
}

function checkLimits(given: Partial<WebSocketLimits> | undefined): WebSocketLimits {
  const limits = limitsFrom(given);
  for (const [name, value] of Object.entries(limits)) {
    if (typeof value !== "number") throw invalidArgument(`options.limits.${name}`, "a number", value);
    if (!(value >= 0)) throw outOfRange(`options.limits.${name}`, "0 or more", value);
  }
  return limits;
}

function checkBits(name: string, bits: number | undefined): void {
  if (bits !== undefined && !(Number.isInteger(bits) && bits >= 9 && bits <= 15))
    throw outOfRange(`options.compression.${name}`, "a whole number from 9 to 15", bits);
}

function checkCompression(given: boolean | CompressionOptions | undefined): CompressionOptions | undefined {
  if (given === undefined || given === false) return undefined;
  if (given === true) return {};
  if (typeof given !== "object" || given === null)
    throw invalidArgument("options.compression", "a boolean or an object", given);
  checkBits("serverMaxWindowBits", given.serverMaxWindowBits);
  checkBits("clientMaxWindowBits", given.clientMaxWindowBits);
  const { level, bytesMin } = given;
  if (level !== undefined && !(Number.isInteger(level) && level >= 1 && level <= 9))
    throw outOfRange("options.compression.level", "a whole number from 1 to 9", level);
  if (bytesMin !== undefined && !(bytesMin >= 0))
    throw outOfRange("options.compression.bytesMin", "0 or more", bytesMin);
  return given;
}

/** @throws {TypeError} ERR_INVALID_ARG_TYPE. @throws {RangeError} ERR_OUT_OF_RANGE; the message names the option. */
export function checkOptions(options: WebSocketOptions): CheckedOptions {
  return {
    limits: checkLimits(options.limits),
    compression: checkCompression(options.compression),
    pingIntervalMs: time(options, "pingIntervalMs"),
    pongTimeoutMs: time(options, "pongTimeoutMs"),
    closeTimeoutMs: time(options, "closeTimeoutMs"),
    sendTimeoutMs: time(options, "sendTimeoutMs"),
  };
}
