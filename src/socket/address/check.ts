// The checks that every family's encoder makes on the fields of an address. Knows no family.

import { invalidArgument, outOfRange } from "../errors.ts";

/** The fields of an address that must be a tuple of `min` to `max` entries, each named by `shape`. */
export function checkTuple(address: unknown, shape: string, min: number, max: number): readonly unknown[] {
  if (!Array.isArray(address) || address.length < min || address.length > max)
    throw invalidArgument("address", shape, address);
  return address as readonly unknown[];
}

/** A text field. */
export function checkText(name: string, value: unknown): string {
  if (typeof value !== "string") throw invalidArgument(name, "a string", value);
  return value;
}

/** A whole number from `min` to `max`. */
export function checkNumber(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== "number") throw invalidArgument(name, "a number", value);
  if (!Number.isInteger(value) || value < min || value > max)
    throw outOfRange(name, `a whole number from ${min} to ${max}`, value);
  return value;
}
