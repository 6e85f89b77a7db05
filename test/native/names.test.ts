// The addon's own functions for names and constants, called directly with what no sound program passes: every answer
// is a value or -errno, nothing is read or written outside of what was given, and the process lives.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as constants from "#dist/constants/index.js";
import { native } from "#dist/native.js";

const { EALREADY, EFAULT, EINVAL, ENOENT } = constants;
const functions = native as unknown as Record<string, (...values: unknown[]) => unknown>;

const NAMES = [
  "getaddrinfo",
  "getaddrinfo_now",
  "getnameinfo",
  "getnameinfo_now",
  "gethostbyname",
  "gethostbyname_now",
  "gethostbyaddr",
  "gethostbyaddr_now",
  "lookup_open",
  "lookup_ref",
  "lookup_unref",
  "lookup_cancel",
  "gethostname",
  "getservbyname",
  "getservbyport",
  "getprotobyname",
  "if_nametoindex",
  "if_indextoname",
  "if_nameindex",
  "inet_aton",
  "cmsg_len",
  "cmsg_space",
  "strerror",
  "gai_strerror",
] as const;

function detached(): Uint8Array {
  const bytes = new Uint8Array(64);
  structuredClone(bytes.buffer, { transfer: [bytes.buffer] });
  return bytes;
}

const HOSTILE: readonly unknown[] = [
  undefined,
  null,
  true,
  -1,
  1.5,
  NaN,
  Infinity,
  2 ** 31,
  2 ** 53,
  10n,
  Symbol("x"),
  "",
  "\0",
  "x\0y",
  "x".repeat(1_000_000),
  "\u{d800}",
  {},
  [],
  () => undefined,
  new Uint8Array(0),
  detached(),
  new DataView(new ArrayBuffer(3)),
  new Proxy({}, {}),
];

test("name functions answer with a value or a number for every single hostile argument", () => {
  // Not the lookups: "" and undefined may be sound there, and would ask the resolver.
  // "" and undefined could be sound for these; a lookup of "" would ask the resolver.
  for (const name of NAMES)
    for (const value of HOSTILE)
      if (!/^get(addr|name|host)/.test(name)) {
        const values = name === "lookup_open" && typeof value === "function" ? [] : [value];
        const result = functions[name]?.(...values);
        assert.ok(["number", "string", "object"].includes(typeof result), `${name}: ${typeof result}`);
      }
});

test("lookups refuse a hostile value in the place of any argument with -EINVAL or -EFAULT", () => {
  const view = new Uint8Array(132);
  view.set([2, 0, 0, 80, 127, 0, 0, 1]);
  const { AF_INET, AI_NUMERICHOST, NI_NUMERICHOST, NI_NUMERICSERV } = constants;
  const numeric = NI_NUMERICHOST | NI_NUMERICSERV;
  const sound: Record<string, unknown[]> = {
    getaddrinfo_now: ["127.0.0.1", "80", 0, 0, 0, AI_NUMERICHOST],
    getnameinfo_now: [view, 0, 16, numeric],
    gethostbyname_now: ["127.0.0.1"],
    gethostbyaddr_now: [view, 4, 4, AF_INET],
  };
  const wrong = new Set([-EINVAL, -EFAULT]);
  for (const [name, values] of Object.entries(sound)) {
    assert.equal(typeof functions[name]?.(...values), "object", `${name} works with sound arguments`);
    for (const index of values.keys())
      for (const value of HOSTILE) {
        // What may be sound there: null and "" for names, numbers for numbers.
        if (typeof values[index] === "string" && (value === null || value === undefined || value === ""))
          continue;
        if (typeof values[index] === "string" && value === "\u{d800}") continue;
        if (typeof values[index] === "number" && typeof value === "number") continue;
        const hostile = values.with(index, value);
        const result = functions[name]?.(...hostile) as number;
        assert.ok(wrong.has(result), `${name} argument ${index}: ${typeof value} gave ${String(result)}`);
        const queued = functions[name.replace("_now", "")]?.(1, ...hostile) as number;
        assert.ok(wrong.has(queued), `${name} queued, argument ${index}: ${typeof value} gave ${queued}`);
      }
  }
});

test("address arguments are held to their buffer", () => {
  const view = new Uint8Array(132);
  for (const [offset, length] of [
    [0, 133],
    [132, 1],
    [-1, 4],
    [0, -1],
    [2 ** 31, 2 ** 31],
    [2 ** 53 - 1, 2 ** 53 - 1],
  ]) {
    assert.equal(functions["getnameinfo_now"]?.(view, offset, length, 0), -EFAULT);
    assert.equal(functions["gethostbyaddr_now"]?.(view, offset, length, 2), -EFAULT);
  }
  assert.equal(functions["getnameinfo_now"]?.(new Uint8Array(4096), 0, 4096, 0), -EINVAL);
});

test("getnameinfo answers with an error for every short or odd address", () => {
  for (let family = 0; family < 64; family++)
    for (const length of [0, 1, 2, 3, 15, 16, 27, 28, 128]) {
      const view = new Uint8Array(132);
      view[0] = family;
      const answer = functions["getnameinfo_now"]?.(view, 0, length, 3);
      assert.ok(typeof answer === "number" || Array.isArray(answer));
    }
});

test("lookup_open() refuses a second callback, and lookups with the id of none are not cancelled", () => {
  native.lookup_open(() => undefined);
  assert.equal(
    native.lookup_open(() => undefined),
    -EALREADY,
  );
  assert.equal(native.lookup_cancel(12345), 0);
});

test("sethostname() refuses what is no text, or none that the kernel could take", () => {
  const refused = HOSTILE.filter((value) => typeof value !== "string" || value.includes("\0"));
  for (const value of [...refused, "x".repeat(1_000_000)])
    assert.equal(functions["sethostname"]?.(value), -EINVAL, typeof value);
});

test("texts that are too long or hold NUL are refused by the tables", () => {
  assert.equal(native.getservbyname("x".repeat(256), null), -EINVAL);
  assert.equal(native.getservbyname("x".repeat(255), null), -ENOENT);
  assert.equal(native.getprotobyname("t\0cp"), -EINVAL);
  assert.equal(native.inet_aton("127.0.0.1\0"), -EINVAL);
});

test("constants is an object of finite numbers", () => {
  assert.ok(Object.keys(native.constants).length > 1_000);
  for (const [name, value] of Object.entries(native.constants)) assert.ok(Number.isSafeInteger(value), name);
});
