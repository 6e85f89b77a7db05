// The errors of misuse, for every layer: an argument of the wrong kind, or too small, too large, not whole; a call at the
// wrong time. Which argument and what it should have been, the callers say.

import { inspect } from "node:util";

/** A TypeError or RangeError with a `code`. */
export type CodedError<E extends Error> = E & { readonly code: string };

function coded<E extends Error>(error: E, code: string): CodedError<E> {
  return Object.assign(error, { code });
}

/** What was given, for a person. Not everything lets itself be looked at: a DataView without memory throws. */
function shown(value: unknown): string {
  let text: string;
  try {
    text = inspect(value, { depth: 0, breakLength: Infinity, maxStringLength: 64, maxArrayLength: 8 });
  } catch {
    text = "what cannot be shown";
  }
  return `${typeof value === "object" || typeof value === "function" ? "" : `${typeof value} `}${text}`;
}

/**
 * An argument of the wrong kind, to be thrown. `code` is ERR_INVALID_ARG_TYPE.
 *
 * @param name      the argument, "options.signal".
 * @param expected  what it must be, with its article: "a number or null".
 * @param actual    what was given.
 */
export function invalidArgument(name: string, expected: string, actual: unknown): CodedError<TypeError> {
  return coded(new TypeError(`${name} must be ${expected}, not ${shown(actual)}`), "ERR_INVALID_ARG_TYPE");
}

/**
 * An argument of the right kind that is too small, too large or not whole, to be thrown. `code` is ERR_OUT_OF_RANGE.
 *
 * @param name    the argument, "port".
 * @param range   what it must be: "a whole number from 0 to 65535".
 * @param actual  what was given.
 */
export function outOfRange(name: string, range: string, actual: unknown): CodedError<RangeError> {
  return coded(new RangeError(`${name} must be ${range}, not ${shown(actual)}`), "ERR_OUT_OF_RANGE");
}

/** Something that cannot be done with an object as it is now, to be thrown. `code` is ERR_INVALID_STATE. */
export function invalidState(text: string): CodedError<TypeError> {
  return coded(new TypeError(text), "ERR_INVALID_STATE");
}
