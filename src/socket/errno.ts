// Error numbers in words: the code's name from the system's own table, the text from strerror(3), both looked up once
// per number. It makes no error objects (errors.ts does) and knows no call.

import { native } from "../native.ts";
import * as errors from "../constants/errors.ts";
import * as names from "../constants/names.ts";

/** An error number in words. */
export interface ErrorText {
  /** The name of the number, "ECONNREFUSED"; "errno 999" where the system has none. */
  readonly code: string;
  /** What it means, "connection refused". */
  readonly text: string;
}

/** Where one number has two names, the one that man pages and Node use. */
const PREFERRED: ReadonlySet<string> = new Set(["EAGAIN", "EDEADLK", "EOPNOTSUPP", "NO_DATA"]);

function byNumber(table: Readonly<Record<string, number>>, prefix: RegExp): Map<number, string> {
  const found = new Map<number, string>();
  for (const [name, number] of Object.entries(table))
    if (prefix.test(name) && name in native.constants && (!found.has(number) || PREFERRED.has(name)))
      found.set(number, name);
  return found;
}

const codes = byNumber(errors, /^E/);
const gaiCodes = byNumber(names, /^EAI_/);
const hostCodes = byNumber(names, /^(?:HOST_NOT_FOUND|TRY_AGAIN|NO_RECOVERY|NO_DATA)$/);
const described = new Map<number, ErrorText>();
const gaiDescribed = new Map<number, ErrorText>();

/** "No such file" → "no such file"; "RPC failed", "IPv4 …" and the like stay. */
function lowerFirst(text: string): string {
  return /^[A-Z][a-z ]/.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/**
 * An error number of a system call in words.
 *
 * @param errno  positive, as in errno(3).
 * @returns its code and text; for a number that the system does not know, "errno 999" and the system's own text.
 * @see strerror(3)
 */
export function describeErrno(errno: number): ErrorText {
  const known = described.get(errno);
  if (known !== undefined) return known;
  const code = codes.get(errno);
  const made: ErrorText = {
    code: code ?? `errno ${errno}`,
    text: Number.isInteger(errno) ? lowerFirst(native.strerror(errno | 0)) : "unknown error",
  };
  // Unknown numbers are not kept: there is no end of them.
  if (code !== undefined) described.set(errno, made);
  return made;
}

/**
 * An error number of getaddrinfo(3) or getnameinfo(3) in words.
 *
 * @param code  as the call returned it, EAI_*.
 * @returns its code ("EAI_NONAME") and text ("name or service not known").
 * @see gai_strerror(3)
 */
export function describeGai(code: number): ErrorText {
  const known = gaiDescribed.get(code);
  if (known !== undefined) return known;
  const name = gaiCodes.get(code);
  const made: ErrorText = {
    code: name ?? `EAI ${code}`,
    text: Number.isInteger(code) ? lowerFirst(native.gai_strerror(code | 0)) : "unknown error",
  };
  if (name !== undefined) gaiDescribed.set(code, made);
  return made;
}

/** hstrerror(3)'s meanings. The function itself is obsolete, and musl's and glibc's texts differ. */
const HOST_TEXTS: Readonly<Record<string, string>> = {
  HOST_NOT_FOUND: "unknown host",
  TRY_AGAIN: "host name lookup failure",
  NO_RECOVERY: "unknown server error",
  NO_DATA: "no address associated with name",
};

/**
 * An h_errno of the gethostby functions in words.
 *
 * @param code  HOST_NOT_FOUND, TRY_AGAIN, NO_RECOVERY or NO_DATA.
 * @see gethostbyname(3)
 */
export function describeHost(code: number): ErrorText {
  const name = hostCodes.get(code) ?? `h_errno ${code}`;
  return { code: name, text: HOST_TEXTS[name] ?? "unknown resolver error" };
}
