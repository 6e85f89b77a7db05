// What the parsers make of messages that are right, however they arrive.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpFields, PAUSED, RequestParser, ResponseParser } from "berkeley/http";
import { NEED_DATA } from "berkeley/wire";
import { deliveries } from "../file/deliveries.ts";
import { latin1, runRequests, runResponses } from "./parsing.ts";
import type { Outcome } from "./parsing.ts";
import { WELL_FORMED } from "./wellformed.ts";
import type { WellFormed } from "./wellformed.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const LENGTH_5 = "Content-Length: 5\r\n";

function outcome({ text, answers, ends }: WellFormed, pieces: Iterable<Buffer>): Outcome {
  return answers === undefined
    ? runRequests(pieces, ends)
    : runResponses(answers, pieces, ends ?? text === "");
}

for (const [how, cut] of Object.entries(deliveries))
  for (const one of WELL_FORMED)
    test(`next() tells of ${one.name}, delivered ${how}`, () => {
      const { events, error } = outcome(one, cut(latin1(one.text)));
      assert.equal(error, undefined);
      assert.deepEqual(events, one.events);
    });

for (const [how, cut] of Object.entries(deliveries)) {
  test(`RequestParser pauses behind an offer of another protocol, delivered ${how}`, () => {
    const head = "GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Upgrade\r\nUpgrade: b\r\n\r\n";
    const parser = new RequestParser();
    for (const piece of cut(latin1(`${head}\0\x01rest`))) parser.receive(piece);
    const first = parser.next();
    assert.ok(typeof first === "object" && first.type === "request" && first.upgrade);
    assert.deepEqual(parser.next(), { type: "end", trailers: HttpFields.EMPTY });
    assert.equal(parser.next(), PAUSED);
    assert.equal(parser.next(), PAUSED);
    assert.equal(parser.takeRest().toString("latin1"), "\0\x01rest");
    assert.equal(parser.next(), PAUSED);
  });

  test(`RequestParser goes on when the offer was declined, delivered ${how}`, () => {
    const head = "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n";
    const parser = new RequestParser();
    for (const piece of cut(latin1(`${head}GET / HTTP/1.1\r\nHost: b\r\n\r\n`))) parser.receive(piece);
    const first = parser.next();
    assert.ok(typeof first === "object" && first.type === "request" && first.upgrade);
    assert.equal(first.authority, "a:1");
    parser.next();
    assert.equal(parser.next(), PAUSED);
    parser.resume();
    const second = parser.next();
    assert.ok(typeof second === "object" && second.type === "request" && second.authority === "b");
  });

  for (const [what, method, text] of [
    ["101", "GET", "HTTP/1.1 101 Switching\r\nUpgrade: b\r\nConnection: upgrade\r\n\r\n"],
    [
      "2xx to CONNECT, whatever length it tells",
      "CONNECT",
      `${OK}${LENGTH_5}Transfer-Encoding: chunked\r\n\r\n`,
    ],
  ] as const)
    test(`ResponseParser pauses behind ${what}, delivered ${how}`, () => {
      const parser = new ResponseParser();
      parser.expect(method, true);
      const sent = what === "101" ? text : text.replace("Transfer-Encoding: chunked\r\n", "");
      for (const piece of cut(latin1(`${sent}rest`))) parser.receive(piece);
      const first = parser.next();
      assert.ok(typeof first === "object" && first.type === "response" && first.upgrade && first.body === 0);
      assert.deepEqual(parser.next(), { type: "end", trailers: HttpFields.EMPTY });
      assert.equal(parser.next(), PAUSED);
      assert.equal(parser.takeRest().toString(), "rest");
    });
}

test("next() gives data as views of what was received, and a head that keeps its values when more arrives", () => {
  const parser = new RequestParser();
  const bytes = latin1("POST / HTTP/1.1\r\nHost: a\r\nX: first\r\nContent-Length: 9\r\n\r\nhello");
  parser.receive(bytes.subarray(0, 30));
  assert.equal(parser.next(), NEED_DATA);
  parser.receive(bytes.subarray(30));
  const head = parser.next();
  assert.ok(typeof head === "object" && head.type === "request");
  parser.next();
  parser.receive(latin1("tail"));
  const data = parser.next();
  assert.ok(typeof data === "object" && data.type === "data");
  assert.equal(data.bytes.toString(), "tail");
  parser.next();
  parser.receive(latin1("GET /2 HTTP/1.1\r\nHost: b\r\nX: second\r\n\r\n"));
  const second = parser.next();
  assert.ok(typeof second === "object" && second.type === "request");
  assert.deepEqual([...head.fields].slice(0, 2), [
    ["host", "a"],
    ["x", "first"],
  ]);
  assert.equal(second.fields.get("x"), "second");
});

test("each limit lets its last byte through, and Infinity everything", () => {
  const line = "GET /aaa HTTP/1.1\r\n";
  const fields = "Host: a\r\nX: 1\r\n\r\n";
  const whole = [latin1(line + fields)];
  const passes = (limits: Parameters<typeof runRequests>[2]): boolean =>
    runRequests(whole, false, limits).error === undefined;
  assert.ok(passes({ startLineBytesMax: line.length, headerBytesMax: fields.length, headerCountMax: 2 }));
  assert.ok(!passes({ startLineBytesMax: line.length - 1 }));
  assert.ok(!passes({ headerBytesMax: fields.length - 1 }));
  assert.ok(!passes({ headerCountMax: 1 }));
  const chunked = (body: string): Buffer[] => [
    latin1(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${body}`),
  ];
  const body = chunked("5;ab=c\r\nhello\r\n0\r\nX: 1\r\n\r\n");
  const exact = { chunkExtensionBytesMax: 5, trailerBytesMax: 8, bodyBytesMax: 5 };
  assert.equal(runRequests(body, false, exact).error, undefined);
  for (const [name, value] of Object.entries(exact))
    assert.ok(runRequests(body, false, { ...exact, [name]: value - 1 }).error !== undefined, name);
  const endless = `GET /${"a".repeat(1e6)} HTTP/1.1\r\nHost: a\r\n${`X: ${"b".repeat(1e5)}\r\n`.repeat(20)}\r\n`;
  const none = { startLineBytesMax: Infinity, headerBytesMax: Infinity, headerCountMax: Infinity };
  assert.equal(runRequests([latin1(endless)], false, none).events.length, 2);
});

test("HttpFields.get() joins what comes twice, and finds names in any case", () => {
  const fields = HttpFields.from([
    ["Accept", "a"],
    ["X-Y", "1"],
    ["accept", "b"],
    ["Set-Cookie", "c=d"],
    ["set-cookie", "e=f"],
  ]);
  assert.equal(fields.get("ACCEPT"), "a, b");
  assert.equal(fields.get("x-y"), "1");
  assert.deepEqual(fields.getAll("set-cookie"), ["c=d", "e=f"]);
  assert.equal(fields.has("x-"), false);
  assert.equal(fields.get("x-y:"), undefined);
  assert.equal(fields.get(""), undefined);
  assert.equal(fields.length, 5);
  assert.equal(
    fields.toString(),
    "Accept: a\r\nX-Y: 1\r\naccept: b\r\nSet-Cookie: c=d\r\nset-cookie: e=f\r\n",
  );
  const { events } = runRequests([latin1(`GET / HTTP/1.1\r\nHost: a\r\n${fields.toString()}\r\n`)]);
  assert.deepEqual(events[0]?.["fields"], [["host", "a"], ...fields]);
});
