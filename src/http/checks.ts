// Amounts and limits that a caller gives, held to what they can be: for the options of the server and of the client.
// It knows no option and no default.

import { TIMEOUT_MS_MAX } from "../socket/base.ts";
import { invalidArgument, outOfRange } from "../socket/errors.ts";
import { HTTP_LIMITS } from "./syntax/limits.ts";
import type { HttpLimits } from "./syntax/limits.ts";

/** A time above 0; what is longer than any timer can wait is without end. */
export function checkTime(name: string, value: number): number {
  if (typeof value !== "number") throw invalidArgument(name, "a number", value);
  if (!(value > 0)) throw outOfRange(name, "above 0", value);
  return value > TIMEOUT_MS_MAX ? Infinity : value;
}

/** A number of something, `least` or more. */
export function checkAmount(name: string, value: number, least: number): number {
  if (typeof value !== "number") throw invalidArgument(name, "a number", value);
  if (!(value >= least)) throw outOfRange(name, `${least} or more`, value);
  return value;
}

/** Limits of a parser over the defaults, of which one is the caller's own. */
export function checkLimits(given: Partial<HttpLimits> | undefined, bodyBytesMax: number): HttpLimits {
  const limits = { ...HTTP_LIMITS, bodyBytesMax, ...given };
  for (const [name, value] of Object.entries(limits)) checkAmount(`options.limits.${name}`, value, 0);
  return limits;
}
