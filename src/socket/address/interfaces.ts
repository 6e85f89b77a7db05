// Interface names in addresses: the kernel has an index there, people a name. It knows the two calls that translate and
// how long an answer holds.

import { ENODEV } from "../../constants/errors.ts";
import { native } from "../../native.ts";
import { SocketError } from "../errors.ts";
import { checkText } from "./check.ts";

/** An interface that is renamed is seen under its old name for so long. Saves two calls per received packet. */
const HOLDS_MS = 1000;

/** Interfaces whose names are kept; more of them are asked for each time. */
const KEPT_MAX = 64;

const kept = new Map<number, string>();
let keptSince = 0;

/** The name of an interface; "" for index 0 and where there is none any more. */
export function nameOfInterface(index: number): string {
  if (index === 0) return "";
  const now = performance.now();
  if (now - keptSince > HOLDS_MS) {
    kept.clear();
    keptSince = now;
  }
  const known = kept.get(index);
  if (known !== undefined) return known;
  const name = native.if_indextoname(index);
  if (typeof name === "number") return "";
  if (kept.size < KEPT_MAX) kept.set(index, name);
  return name;
}

/**
 * The index of an interface; 0 for "".
 *
 * @throws {SocketError} ENODEV: there is no such interface.
 */
export function indexOfInterface(value: unknown): number {
  const name = checkText("ifname", value);
  if (name === "") return 0;
  const index = native.if_nametoindex(name);
  // What the addon refuses (too long, NUL inside) names no interface either.
  if (index < 0)
    throw new SocketError("if_nametoindex", -ENODEV, { hint: JSON.stringify(name.slice(0, 32)) });
  return index;
}
