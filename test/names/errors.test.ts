// The error classes: their messages, codes and fields, and the words for numbers.

import assert from "node:assert/strict";
import { inspect } from "node:util";
import { test } from "node:test";
import * as constants from "#dist/constants/index.js";
import { describeErrno, describeGai, describeHost } from "#dist/socket/errno.js";
import { AddressError, SocketError, TimeoutError, invalidArgument, outOfRange } from "#dist/socket/errors.js";
import { askPython, python3 } from "../support/ask-python.ts";

const { EAI_NONAME, EAI_SYSTEM, ECONNREFUSED, ECONNRESET, EMFILE, EPIPE, ETIMEDOUT, HOST_NOT_FOUND } =
  constants;

test("SocketError says call, code, text and both ends", () => {
  const local = ["127.0.0.1", 4242] as const;
  const remote = ["10.0.0.1", 25] as const;
  const error = new SocketError("recv", -ECONNRESET, { local, remote });
  assert.equal(error.message, "recv ECONNRESET: connection reset by peer (127.0.0.1:4242 → 10.0.0.1:25)");
  assert.equal(error.name, "SocketError");
  assert.equal(String(error), `SocketError: ${error.message}`);
  assert.deepEqual({ ...error }, { code: "ECONNRESET", errno: ECONNRESET, syscall: "recv", local, remote });
  assert.ok(error instanceof Error);
});

test("SocketError leaves out what it was not told", () => {
  const error = new SocketError("close", -ECONNREFUSED);
  assert.equal(error.message, "close ECONNREFUSED: connection refused");
  assert.deepEqual(Object.keys(error), ["code", "errno", "syscall"]);
  assert.equal(
    new SocketError("connect", -ECONNREFUSED, { remote: ["::1", 1, 0, 0] }).message,
    "connect ECONNREFUSED: connection refused (→ [::1]:1)",
  );
});

test("SocketError tells how much was sent, and a hint", () => {
  const error = new SocketError("sendall", -EPIPE, { bytesSent: 7, hint: "the peer has closed" });
  assert.equal(error.message, "sendall EPIPE: broken pipe, after 7 bytes were sent; the peer has closed");
  assert.equal(error.bytesSent, 7);
});

test("SocketError names a number that the system does not know", () => {
  const error = new SocketError("recv", -999);
  assert.equal(error.code, "errno 999");
  assert.equal(error.errno, 999);
});

test("TimeoutError is a SocketError with ETIMEDOUT and a name of its own", () => {
  const error = new TimeoutError("recv", 0.5, { local: ["127.0.0.1", 1] });
  assert.ok(error instanceof SocketError);
  assert.equal(error.message, "recv ETIMEDOUT: timed out after 0.5 s (127.0.0.1:1)");
  assert.equal(error.name, "TimeoutError");
  assert.deepEqual([error.code, error.errno, error.seconds], ["ETIMEDOUT", ETIMEDOUT, 0.5]);
  assert.equal(error.stack?.split("\n")[0], `TimeoutError: ${error.message}`);
});

test("AddressError carries EAI_ codes, h_errno codes and errnos", () => {
  const gai = AddressError.gai("getaddrinfo", EAI_NONAME, "nowhere.invalid");
  assert.equal(gai.message, "getaddrinfo EAI_NONAME: name or service not known (nowhere.invalid)");
  assert.deepEqual([gai.code, gai.errno, gai.hostname], ["EAI_NONAME", EAI_NONAME, "nowhere.invalid"]);
  assert.equal(AddressError.gai("getaddrinfo", EAI_SYSTEM, "x", EMFILE).code, "EMFILE");
  assert.equal(AddressError.host("gethostbyname_ex", HOST_NOT_FOUND).code, "HOST_NOT_FOUND");
  assert.equal(gai.name, "AddressError");
});

test("errors show their class's name when inspected", () => {
  assert.match(inspect(new SocketError("recv", -EPIPE)), /^SocketError: recv EPIPE: broken pipe\n/);
  assert.match(inspect(new TimeoutError("recv", 1)), /^TimeoutError: recv ETIMEDOUT/);
});

test("invalidArgument() and outOfRange() make coded TypeErrors and RangeErrors that show the value", () => {
  const type = invalidArgument("flags", "a number", "1");
  assert.ok(type instanceof TypeError);
  assert.deepEqual(
    [type.code, type.message],
    ["ERR_INVALID_ARG_TYPE", "flags must be a number, not string '1'"],
  );
  const range = outOfRange("port", "a whole number from 0 to 65535", -1);
  assert.ok(range instanceof RangeError);
  assert.deepEqual(
    [range.code, range.message],
    ["ERR_OUT_OF_RANGE", "port must be a whole number from 0 to 65535, not number -1"],
  );
  assert.ok(invalidArgument("x", "short", "y".repeat(100_000)).message.length < 200);
});

test("describeErrno() has code and text for every errno, as CPython's os.strerror", {
  skip: python3.skip,
}, () => {
  const program = "import os; print(json.dumps({n: os.strerror(c) for c, n in errno.errorcode.items()}))";
  const theirs = askPython(program) as Record<string, string>;
  const aliases: Record<string, string> = { ENOTSUP: "EOPNOTSUPP", EDEADLOCK: "EDEADLK" };
  for (const [name, text] of Object.entries(theirs)) {
    const described = describeErrno((constants as Readonly<Record<string, number>>)[name] as number);
    assert.equal(described.text.toLowerCase(), text.toLowerCase());
    assert.equal(described.code, aliases[name] ?? name);
  }
  assert.equal(describeErrno(999).code, "errno 999");
  assert.equal(describeErrno(NaN).code, "errno NaN");
  assert.equal(describeErrno(0).code, "errno 0");
});

test("describeGai() and describeHost() have codes and texts", () => {
  assert.deepEqual(describeGai(EAI_NONAME), { code: "EAI_NONAME", text: "name or service not known" });
  assert.equal(describeGai(-12345).code, "EAI -12345");
  assert.deepEqual(describeHost(HOST_NOT_FOUND), { code: "HOST_NOT_FOUND", text: "unknown host" });
  assert.equal(describeHost(77).code, "h_errno 77");
});
