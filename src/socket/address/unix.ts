// AF_UNIX: struct sockaddr_un, unix(7). A path ends with a NUL; a name in Linux's abstract namespace begins with one and
// is as long as the address says; an address without any name is the family alone.

import { isUtf8 } from "node:buffer";
import { AF_UNIX } from "../../constants/families.ts";
import { ENAMETOOLONG } from "../../constants/errors.ts";
import { SocketError, invalidArgument } from "../errors.ts";
import type { UnixAddress } from "./types.ts";
import { writeFamily } from "./view.ts";

const OFFSET = 2;

/** Room for the name, sun_path. */
const PATH_BYTES = process.platform === "linux" ? 108 : 104;

/** The address in a view. */
export function decodeUnix(view: Uint8Array, length: number): UnixAddress {
  const name = Buffer.from(view.subarray(OFFSET, Math.max(length, OFFSET)));
  if (name.length === 0) return "";
  if (name[0] === 0 && process.platform === "linux") return name;
  const end = name.indexOf(0);
  const path = end === -1 ? name : name.subarray(0, end);
  return isUtf8(path) ? path.toString() : path;
}

function copyOf(name: Uint8Array): Uint8Array {
  try {
    return name.slice();
  } catch {
    throw invalidArgument("address", "memory that was not given away", name);
  }
}

/** Writes an address into a view; its length in bytes. */
export function encodeUnix(address: unknown, view: Uint8Array): number {
  if (typeof address !== "string" && !(ArrayBuffer.isView(address) && address instanceof Uint8Array))
    throw invalidArgument("address", "a path (a string or a Uint8Array)", address);
  const name = typeof address === "string" ? Buffer.from(address) : copyOf(address);
  // An empty name binds to an abstract one that the system picks.
  const abstract = process.platform === "linux" && (name.length === 0 || name[0] === 0);
  if (!abstract && name.includes(0)) throw invalidArgument("address", "a path without NUL", address);
  const size = abstract ? name.length : name.length + 1;
  if (size > PATH_BYTES) {
    const room = abstract ? PATH_BYTES : PATH_BYTES - 1;
    const text = `a Unix socket's name has at most ${room} bytes, not ${name.length}`;
    throw new SocketError("encodeAddress", -ENAMETOOLONG, { text });
  }
  const length = OFFSET + size;
  writeFamily(view, AF_UNIX, length);
  view.set(name, OFFSET);
  return length;
}
