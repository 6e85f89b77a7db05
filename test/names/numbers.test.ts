// inet_*, byte order, CMSG_*: against CPython's socket module.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  CMSG_LEN,
  CMSG_SPACE,
  htonl,
  htons,
  inet_aton,
  inet_ntoa,
  inet_ntop,
  inet_pton,
  ntohl,
  ntohs,
} from "berkeley";
import { askPython, pick, python3, random } from "../support/ask-python.ts";

const withPython = { skip: python3.skip };

test("inet_aton() agrees with CPython on 20,000 texts in old and new forms", withPython, () => {
  const next = random(11);
  const parts = [
    "0",
    "1",
    "255",
    "256",
    "65535",
    "65536",
    "16777215",
    "16777216",
    "4294967295",
    "4294967296",
  ];
  parts.push(
    "0x7f",
    "0X7F",
    "0xg",
    "017",
    "018",
    "08",
    "",
    " ",
    "1 ",
    " 1",
    "-1",
    "+1",
    "1x",
    "0x",
    "\t1",
    "1\n",
  );
  const texts = ["", ".", "127.1", "127.0.0.1 and more", "127.0.0.1\n", "1.2.3.4.", "٣.1", "a".repeat(300)];
  while (texts.length < 20_000) {
    const count = 1 + next(5);
    texts.push(
      Array.from({ length: count }, () => (next(2) > 0 ? String(next(300)) : pick(next, parts))).join("."),
    );
  }
  const program = `
def read(text):
    try: return socket.inet_aton(text).hex()
    except (OSError, ValueError): return None
print(json.dumps([read(t) for t in data]))`;
  const expected = askPython(program, texts) as (string | null)[];
  let good = 0;
  for (const [i, text] of texts.entries()) {
    let ours: string | null = null;
    try {
      ours = inet_aton(text).toString("hex");
      good++;
    } catch (error) {
      assert.equal((error as { code: string }).code, "EINVAL");
    }
    assert.equal(ours, expected[i], JSON.stringify(text));
  }
  assert.ok(good > 2_000, `only ${good} texts were addresses`);
});

test("inet_pton() and inet_ntop() convert both families there and back", () => {
  assert.deepEqual(inet_pton(AF_INET, "100.50.200.5"), Buffer.from([100, 50, 200, 5]));
  assert.deepEqual(inet_pton(AF_INET6, "::1"), Buffer.from("00000000000000000000000000000001", "hex"));
  assert.equal(inet_ntop(AF_INET, inet_pton(AF_INET, "255.0.0.1")), "255.0.0.1");
  assert.equal(inet_ntop(AF_INET6, inet_pton(AF_INET6, "2001:DB8:0:0::1")), "2001:db8::1");
  assert.equal(inet_ntoa(inet_aton("1.2.3.4")), "1.2.3.4");
});

test("inet_pton() throws EINVAL for what is no address of the family", () => {
  for (const text of ["", "1.2.3", "1.2.3.4.5", "01.2.3.4", "::1", "1.2.3.4\0"])
    assert.throws(() => inet_pton(AF_INET, text), { name: "SocketError", code: "EINVAL" });
  for (const text of ["", "1.2.3.4", "::1%lo", ":::", "::1\0"])
    assert.throws(() => inet_pton(AF_INET6, text), {
      code: "EINVAL",
      message: /^inet_pton EINVAL: illegal IP address string/,
    });
});

test("inet_pton() and inet_ntop() throw EAFNOSUPPORT for other families", () => {
  assert.throws(() => inet_pton(AF_UNIX, "x"), { code: "EAFNOSUPPORT" });
  assert.throws(() => inet_ntop(AF_UNIX, new Uint8Array(4)), { code: "EAFNOSUPPORT" });
});

test("inet functions throw ERR_ codes for arguments of the wrong kind or length", () => {
  assert.throws(() => inet_pton(AF_INET, 1 as never), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => inet_aton(undefined as never), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => inet_ntop(AF_INET, "1234" as never), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => inet_ntop(AF_INET, new Uint8Array(5)), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => inet_ntop(AF_INET6, new Uint8Array(4)), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => inet_ntoa(new Uint8Array(0)), { code: "ERR_OUT_OF_RANGE" });
});

test("htons(), htonl(), ntohs() and ntohl() agree with CPython", withPython, () => {
  const shorts = [0, 1, 0x1234, 0xff00, 0xffff];
  const longs = [0, 1, 0x12345678, 0x80000000, 0xffffffff];
  const [theirShorts, theirLongs] = askPython(
    "print(json.dumps([[socket.htons(x) for x in data[0]], [socket.htonl(x) for x in data[1]]]))",
    [shorts, longs],
  ) as [number[], number[]];
  assert.deepEqual(shorts.map(htons), theirShorts);
  assert.deepEqual(longs.map(htonl), theirLongs);
  assert.deepEqual(shorts.map(htons).map(ntohs), shorts);
  assert.deepEqual(longs.map(htonl).map(ntohl), longs);
});

test("htons() and htonl() throw ERR_OUT_OF_RANGE beyond their bits", () => {
  for (const x of [-1, 0x10000, 1.5, NaN]) assert.throws(() => htons(x), { code: "ERR_OUT_OF_RANGE" });
  for (const x of [-1, 2 ** 32, 1.5, NaN]) assert.throws(() => htonl(x), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => htons("1" as never), { code: "ERR_INVALID_ARG_TYPE" });
});

test("CMSG_LEN() and CMSG_SPACE() agree with CPython, up to the largest length", withPython, () => {
  const lengths = [
    0,
    1,
    3,
    4,
    5,
    7,
    8,
    9,
    16,
    100,
    65536,
    2 ** 31 - 1 - 32,
    2 ** 31 - 1 - 24,
    2 ** 31 - 1 - 16,
  ];
  lengths.push(2 ** 31 - 1 - 23, 2 ** 31 - 1 - 15, 2 ** 31, 2 ** 53 - 1, -1);
  const program = `
def call(function, length):
    try: return function(length)
    except OverflowError: return None
print(json.dumps([[call(socket.CMSG_LEN, n), call(socket.CMSG_SPACE, n)] for n in data]))`;
  const ours = (call: (length: number) => number, length: number): number | null => {
    try {
      return call(length);
    } catch (error) {
      assert.equal((error as { code: string }).code, "ERR_OUT_OF_RANGE");
      return null;
    }
  };
  assert.deepEqual(
    lengths.map((length) => [ours(CMSG_LEN, length), ours(CMSG_SPACE, length)]),
    askPython(program, lengths),
  );
});
