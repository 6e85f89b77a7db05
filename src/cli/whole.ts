// Options of the command line that are a whole number. Pure.

import { UsageError } from "./endpoint.ts";

/** Reads the value of such an option, for commander. @throws {UsageError} it is no whole number from `min` to `max`. */
export function parseWhole(option: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (!/^\d+$/.test(text) || number < min || number > max)
      throw new UsageError(`${option} is a whole number from ${min} to ${max}`);
    return number;
  };
}
