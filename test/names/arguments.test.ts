// What the lookup functions refuse, and how: misuse is a coded TypeError or RangeError, nothing is looked up.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AI_NUMERICHOST,
  SOCK_STREAM,
  getaddrinfo,
  getfqdn,
  gethostbyaddr,
  gethostbyname,
  gethostbyname_ex,
  getnameinfo,
} from "berkeley";

test("getaddrinfo() rejects with ERR_INVALID_ARG_TYPE for what is not a host, a port or a hint", async () => {
  const code = "ERR_INVALID_ARG_TYPE";
  await assert.rejects(getaddrinfo(1 as never, 80), {
    name: "TypeError",
    code,
    message: /^host must be a string/,
  });
  await assert.rejects(getaddrinfo("a\0b", 80), { code, message: /^host must be a string without NUL/ });
  await assert.rejects(getaddrinfo("a", "8\x000"), { code, message: /^port must be a string without NUL/ });
  await assert.rejects(getaddrinfo("a", {} as never), {
    code,
    message: /^port must be a number, a string or null/,
  });
  await assert.rejects(getaddrinfo("a", 80, { family: "4" as never }), { code, message: /^options\.family/ });
  await assert.rejects(getaddrinfo("a", 80, { signal: {} as never }), { code, message: /^options\.signal/ });
});

test("getaddrinfo() rejects with ERR_OUT_OF_RANGE for numbers that do not fit", async () => {
  for (const port of [-1, 65_536, 1.5, NaN])
    await assert.rejects(getaddrinfo("127.0.0.1", port), { name: "RangeError", code: "ERR_OUT_OF_RANGE" });
  await assert.rejects(getaddrinfo("127.0.0.1", 80, { flags: 2 ** 31 }), { code: "ERR_OUT_OF_RANGE" });
});

test("getaddrinfo() rejects with EAI_NONAME and EAI_SERVICE for names that no system could know", async () => {
  await assert.rejects(getaddrinfo("x".repeat(100_000), 80), { name: "AddressError", code: "EAI_NONAME" });
  await assert.rejects(getaddrinfo("\u{d800}.example", 80), { code: "EAI_NONAME" });
  await assert.rejects(getaddrinfo(null, null), { code: "EAI_NONAME" });
  await assert.rejects(getaddrinfo("127.0.0.1", "y".repeat(1_000)), { code: "EAI_SERVICE" });
});

test("getaddrinfo() rejects with the signal's reason when it is aborted already", async () => {
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(getaddrinfo("127.0.0.1", 80, { signal }), { message: "enough" });
});

test("getaddrinfo() resolves and leaves the signal without listeners", async () => {
  const { signal } = new AbortController();
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...values: Parameters<typeof add>) => (listeners++, add(...values));
  signal.removeEventListener = (...values: Parameters<typeof remove>) => (listeners--, remove(...values));
  const hints = { family: AF_INET, type: SOCK_STREAM, flags: AI_NUMERICHOST, signal };
  const [info] = await getaddrinfo("127.0.0.1", 80, hints);
  assert.deepEqual(info?.[4], ["127.0.0.1", 80]);
  assert.equal(listeners, 0);
});

test("getaddrinfo() resolves 500 lookups at once", async () => {
  const hints = { type: SOCK_STREAM, flags: AI_NUMERICHOST };
  const found = await Promise.all(
    Array.from({ length: 500 }, (_, port) => getaddrinfo("127.0.0.1", port, hints)),
  );
  for (const [port, [info]] of found.entries()) assert.deepEqual(info?.[4], ["127.0.0.1", port]);
});

test("getaddrinfo() rejects with a stack that shows the caller", async () => {
  async function theCaller(): Promise<void> {
    await getaddrinfo("nope", 80, { flags: AI_NUMERICHOST });
  }
  const error = await theCaller().catch((reason: unknown) => reason as Error);
  assert.match((error as Error).stack ?? "", /theCaller/);
});

test("getnameinfo() rejects for what is not a numeric address", async () => {
  await assert.rejects(getnameinfo("127.0.0.1" as never), { code: "ERR_INVALID_ARG_TYPE" });
  await assert.rejects(getnameinfo(["127.0.0.1"] as never), { code: "ERR_INVALID_ARG_TYPE" });
  await assert.rejects(getnameinfo(["127.0.0.1", 65_536]), { code: "ERR_OUT_OF_RANGE" });
  await assert.rejects(getnameinfo(["127.0.0.1", 80, 0, 0]), { code: "EAI_FAMILY" });
  await assert.rejects(getnameinfo(["not.numeric", 80]), { code: "EAI_NONAME" });
  await assert.rejects(getnameinfo(["::1", 80, 0x100000, 0]), { code: "ERR_OUT_OF_RANGE" });
  await assert.rejects(getnameinfo(["127.0.0.1", 80], "0" as never), { code: "ERR_INVALID_ARG_TYPE" });
});

test("the gethostby functions and getfqdn() reject what is not a host", async () => {
  for (const call of [gethostbyname, gethostbyname_ex, gethostbyaddr]) {
    await assert.rejects(call(1 as never), { code: "ERR_INVALID_ARG_TYPE" });
    await assert.rejects(call("a\0b"), { code: "ERR_INVALID_ARG_TYPE" });
    await assert.rejects(call("z".repeat(5_000)), { code: "EAI_NONAME" });
  }
  await assert.rejects(getfqdn(1 as never), { code: "ERR_INVALID_ARG_TYPE" });
});
