// What the writers write, byte for byte, and what they refuse before they have written any of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpFields, RequestWriter, ResponseWriter } from "berkeley/http";
import type { Answered, RequestInit, ResponseInit } from "berkeley/http";
import { LocalProtocolError } from "berkeley/wire";

const HOST = { Host: "a" };
const GET: Answered = { method: "GET", version: "1.1", keepAlive: true };

function requestText(request: Partial<RequestInit>, ...pieces: string[]): string {
  const writer = new RequestWriter();
  writer.head({ method: "GET", target: "/", fields: HOST, ...request });
  for (const piece of pieces) writer.data(piece);
  writer.end();
  return writer.take().toString("latin1");
}

function responseText(
  response: Partial<ResponseInit>,
  to: Partial<Answered> = {},
  ...pieces: string[]
): string {
  const writer = new ResponseWriter();
  writer.head({ status: 200, ...response }, { ...GET, ...to });
  for (const piece of pieces) writer.data(piece);
  writer.end();
  return writer.take().toString("latin1");
}

test("RequestWriter.head() adds what the framing and the version need, and nothing else", () => {
  assert.equal(requestText({}), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.equal(requestText({ method: "POST" }), "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
  assert.equal(
    requestText({ body: 5 }, "hel", "lo"),
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
  );
  assert.equal(
    requestText({ fields: { ...HOST, "content-length": "5" } }, "hello"),
    "GET / HTTP/1.1\r\nHost: a\r\ncontent-length: 5\r\n\r\nhello",
  );
  assert.equal(
    requestText({ body: "chunked", method: "PUT" }, "hello", "", "ü"),
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n2\r\n\xc3\xbc\r\n0\r\n\r\n",
  );
  assert.equal(requestText({ keepAlive: false }), "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  assert.equal(
    requestText({ version: "1.0" }),
    "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n",
  );
  assert.equal(requestText({ method: "CONNECT", target: "a:1" }), "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n");
  assert.equal(
    requestText({ host: "b:1", fields: { X: "y" } }),
    "GET / HTTP/1.1\r\nHost: b:1\r\nX: y\r\n\r\n",
  );
  assert.equal(requestText({ host: "b:1" }), "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
});

test("ResponseWriter.head() adds what the framing and the request need, and nothing else", () => {
  assert.equal(responseText({}), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  assert.equal(responseText({ body: 2 }, {}, "hi"), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
  assert.equal(
    responseText({ status: 299, reason: "\xdcber", fields: { A: ["1", "2"] }, body: 0 }),
    "HTTP/1.1 299 \xdcber\r\nA: 1\r\nA: 2\r\nContent-Length: 0\r\n\r\n",
  );
  assert.equal(responseText({ status: 299 }), "HTTP/1.1 299 \r\nContent-Length: 0\r\n\r\n");
  assert.equal(
    responseText({ body: "untilClose" }, {}, "hi"),
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhi",
  );
  assert.equal(
    responseText({ body: 2 }, { version: "1.0" }, "hi"),
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nhi",
  );
  assert.equal(
    responseText({}, { version: "1.0", keepAlive: false }),
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
  );
  assert.equal(
    responseText({ fields: { Connection: "close, x" } }),
    "HTTP/1.1 200 OK\r\nConnection: close, x\r\nContent-Length: 0\r\n\r\n",
  );
  assert.equal(responseText({ body: 9 }, { method: "HEAD" }), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
  assert.equal(
    responseText({ body: "chunked" }, { method: "HEAD" }),
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  assert.equal(responseText({ status: 304 }), "HTTP/1.1 304 Not Modified\r\n\r\n");
  assert.equal(
    responseText({ status: 304, body: 9 }),
    "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
  );
  assert.equal(responseText({ status: 204 }), "HTTP/1.1 204 No Content\r\n\r\n");
  assert.equal(responseText({}, { method: "CONNECT" }), "HTTP/1.1 200 OK\r\n\r\n");
  assert.equal(
    responseText({ status: 101, fields: { Upgrade: "b" } }),
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: b\r\nConnection: Upgrade\r\n\r\n",
  );
});

test("ResponseWriter.informational() writes to HTTP/1.1 alone, any number before the final one", () => {
  const writer = new ResponseWriter();
  writer.informational(100, GET);
  writer.informational(103, GET, { Link: "a" });
  writer.informational(100, { ...GET, version: "1.0" });
  writer.head({ status: 204 }, GET);
  assert.equal(
    writer.take().toString(),
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
  );
});

test("data() writes bytes without a copy, and end() writes trailers", () => {
  const writer = new ResponseWriter();
  writer.head({ status: 200, body: "chunked" }, GET);
  const bytes = Buffer.from("hello");
  writer.data(bytes);
  bytes.write("HELLO");
  writer.end(HttpFields.from({ "X-Sum": "1" }));
  assert.equal(
    writer.take().toString(),
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nHELLO\r\n0\r\nX-Sum: 1\r\n\r\n",
  );
});

test("HttpFields that were made once are written as they are, and hold what was checked", () => {
  const fields = HttpFields.from({ "Content-Type": "text/plain", "content-length": "2" });
  const text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\ncontent-length: 2\r\n\r\nhi";
  assert.equal(responseText({ fields }, {}, "hi"), text);
  assert.equal(responseText({ fields }, {}, "hi"), text);
  assert.throws(() => responseText({ fields, body: 3 }, {}, "hi!"), { code: "ERR_HTTP_FRAMING" });
});

type Writing = (request: RequestWriter, response: ResponseWriter) => void;
const request =
  (more: Partial<RequestInit>): Writing =>
  (writer) =>
    writer.head({ method: "GET", target: "/", fields: HOST, ...more });
const response =
  (more: Partial<ResponseInit>, to: Partial<Answered> = {}): Writing =>
  (_, writer) =>
    void writer.head({ status: 200, ...more }, { ...GET, ...to });

const refused: readonly (readonly [string, string, Writing])[] = [
  ["a method with a blank", "ERR_HTTP_METHOD", request({ method: "GET /a HTTP/1.1\r\n" })],
  ["an empty method", "ERR_HTTP_METHOD", request({ method: "" })],
  ["CR and LF in a target", "ERR_HTTP_TARGET", request({ target: "/ HTTP/1.1\r\nX: 1" })],
  ["LF in a target", "ERR_HTTP_TARGET", request({ target: "/\nX" })],
  ["a blank in a target", "ERR_HTTP_TARGET", request({ target: "/a b" })],
  ["a fragment in a target", "ERR_HTTP_TARGET", request({ target: "/a#b" })],
  ["a target beyond ASCII", "ERR_HTTP_TARGET", request({ target: "/ü" })],
  ["a target without a slash", "ERR_HTTP_TARGET", request({ target: "a" })],
  ["CONNECT to a path", "ERR_HTTP_TARGET", request({ method: "CONNECT", target: "/a" })],
  [
    "CONNECT with content",
    "ERR_HTTP_UNEXPECTED_CONTENT",
    request({ method: "CONNECT", target: "a:1", body: 1 }),
  ],
  ["no Host", "ERR_HTTP_HOST", request({ fields: {} })],
  ["two Hosts", "ERR_HTTP_HOST", request({ fields: { Host: ["a", "a"] } })],
  ["a Host that is none", "ERR_HTTP_HOST", request({ fields: { Host: "a/b" } })],
  ["a host that is none", "ERR_HTTP_HOST", request({ fields: {}, host: "a\r\nX: y" })],
  ["chunked in HTTP/1.0", "ERR_HTTP_FRAMING", request({ version: "1.0", body: "chunked" })],
  ["a negative length", "ERR_HTTP_FRAMING", request({ body: -1 })],
  ["half a byte", "ERR_HTTP_FRAMING", request({ body: 0.5 })],
  ["no length at all", "ERR_HTTP_FRAMING", request({ body: Number.NaN })],
  ["an endless length", "ERR_HTTP_FRAMING", request({ body: Infinity })],
  [
    "another length in the fields",
    "ERR_HTTP_FRAMING",
    request({ body: 5, fields: { ...HOST, "Content-Length": "6" } }),
  ],
  [
    "two lengths in the fields",
    "ERR_HTTP_FRAMING",
    request({ fields: { ...HOST, "Content-Length": ["5", "5"] } }),
  ],
  ["a list of lengths", "ERR_HTTP_FRAMING", request({ fields: { ...HOST, "Content-Length": "5, 5" } })],
  ["Transfer-Encoding", "ERR_HTTP_FRAMING", request({ fields: { ...HOST, "transfer-encoding": "chunked" } })],
  [
    "length beside chunked",
    "ERR_HTTP_FRAMING",
    request({ body: "chunked", fields: { ...HOST, "Content-Length": "5" } }),
  ],
  ["an expectation", "ERR_HTTP_EXPECTATION", request({ fields: { ...HOST, Expect: "200-ok" } })],
  [
    "a Connection that is no list",
    "ERR_HTTP_CONNECTION",
    request({ fields: { ...HOST, Connection: "a b" } }),
  ],
  ["a field name with CR and LF", "ERR_HTTP_FIELD_NAME", request({ fields: { ...HOST, "X\r\nY": "1" } })],
  ["a field name with a colon", "ERR_HTTP_FIELD_NAME", request({ fields: { ...HOST, "X: 1\r\nY": "1" } })],
  ["an empty field name", "ERR_HTTP_FIELD_NAME", request({ fields: { ...HOST, "": "1" } })],
  ["a field value with CR and LF", "ERR_HTTP_FIELD_VALUE", request({ fields: { ...HOST, X: "1\r\nY: 2" } })],
  ["a field value with LF", "ERR_HTTP_FIELD_VALUE", request({ fields: { ...HOST, X: "1\nY: 2" } })],
  ["a field value with CR", "ERR_HTTP_FIELD_VALUE", request({ fields: { ...HOST, X: "1\rY" } })],
  ["a field value with NUL", "ERR_HTTP_FIELD_VALUE", request({ fields: { ...HOST, X: "\0" } })],
  [
    "a field value that becomes CR and LF",
    "ERR_HTTP_FIELD_VALUE",
    request({ fields: { ...HOST, X: "\u010d\u010aY: 2" } }),
  ],
  [
    "a field value that is no text",
    "ERR_HTTP_FIELD_VALUE",
    request({
      fields: [
        ["Host", "a"],
        ["X", 1 as never],
      ],
    }),
  ],
  ["status 99", "ERR_HTTP_STATUS", response({ status: 99 })],
  ["status 100", "ERR_HTTP_STATUS", response({ status: 100 })],
  ["status 600", "ERR_HTTP_STATUS", response({ status: 600 })],
  ["half a status", "ERR_HTTP_STATUS", response({ status: 200.5 })],
  ["a reason with CR and LF", "ERR_HTTP_REASON", response({ reason: "OK\r\nX: 1" })],
  ["a reason beyond U+00FF", "ERR_HTTP_REASON", response({ reason: "\u010d\u010a" })],
  ["204 with content", "ERR_HTTP_UNEXPECTED_CONTENT", response({ status: 204, body: 5 })],
  [
    "204 with a length",
    "ERR_HTTP_UNEXPECTED_CONTENT",
    response({ status: 204, fields: { "Content-Length": "0" } }),
  ],
  ["205 with content", "ERR_HTTP_UNEXPECTED_CONTENT", response({ status: 205, body: "chunked" })],
  [
    "2xx to CONNECT with content",
    "ERR_HTTP_UNEXPECTED_CONTENT",
    response({ body: 5 }, { method: "CONNECT" }),
  ],
  ["101 without Upgrade", "ERR_HTTP_FRAMING", response({ status: 101 })],
  ["chunked to HTTP/1.0", "ERR_HTTP_FRAMING", response({ body: "chunked" }, { version: "1.0" })],
  [
    "a response's field value with CR and LF",
    "ERR_HTTP_FIELD_VALUE",
    response({ fields: new Map([["X", "1\r\n\r\n<html>"]]) }),
  ],
  ["informational 101", "ERR_HTTP_STATUS", (_, writer) => writer.informational(101, GET)],
  ["informational 200", "ERR_HTTP_STATUS", (_, writer) => writer.informational(200, GET)],
  [
    "informational with a length",
    "ERR_HTTP_FRAMING",
    (_, writer) => writer.informational(100, GET, { "Content-Length": "0" }),
  ],
  [
    "informational with CR and LF",
    "ERR_HTTP_FIELD_VALUE",
    (_, writer) => writer.informational(103, GET, { Link: "\r\n" }),
  ],
  ["data without a head", "ERR_HTTP_SEQUENCE", (_, writer) => writer.data("a")],
  ["an end without a head", "ERR_HTTP_SEQUENCE", (writer) => writer.end()],
];

for (const [what, code, write] of refused)
  test(`the writers refuse ${what}, and have written nothing`, () => {
    const writers = [new RequestWriter(), new ResponseWriter()] as const;
    assert.throws(
      () => write(...writers),
      (error) => error instanceof LocalProtocolError && error.code === code,
    );
    for (const writer of writers) assert.equal(writer.take().length, 0);
  });

const started: readonly (readonly [
  string,
  string,
  ResponseInit["body"] | undefined,
  (writer: ResponseWriter) => void,
])[] = [
  ["more content than was announced", "ERR_HTTP_BODY_TOO_LONG", 5, (writer) => writer.data("hello!")],
  [
    "more content than was announced, in UTF-8",
    "ERR_HTTP_BODY_TOO_LONG",
    5,
    (writer) => writer.data("hellö"),
  ],
  ["less content than was announced", "ERR_HTTP_BODY_TOO_SHORT", 5, (writer) => writer.end()],
  ["content where there is none", "ERR_HTTP_BODY_TOO_LONG", 0, (writer) => writer.data("a")],
  ["trailers behind a length", "ERR_HTTP_TRAILERS", 0, (writer) => writer.end({ X: "1" })],
  ["trailers until the close", "ERR_HTTP_TRAILERS", "untilClose", (writer) => writer.end({ X: "1" })],
  [
    "a trailer that is none",
    "ERR_HTTP_TRAILER_FIELD",
    "chunked",
    (writer) => writer.end({ "Content-Length": "1" }),
  ],
  [
    "a trailer with CR and LF",
    "ERR_HTTP_FIELD_VALUE",
    "chunked",
    (writer) => writer.end({ X: "1\r\n\r\nHTTP/1.1" }),
  ],
  ["a second head before the end", "ERR_HTTP_SEQUENCE", 0, (writer) => writer.head({ status: 200 }, GET)],
  ["100 behind a head", "ERR_HTTP_SEQUENCE", 0, (writer) => writer.informational(100, GET)],
];
for (const [what, code, body, write] of started)
  test(`ResponseWriter refuses ${what}, and has written nothing more`, () => {
    const writer = new ResponseWriter();
    writer.head({ status: 200, body: body ?? 0 }, GET);
    writer.take();
    assert.throws(
      () => write(writer),
      (error) => error instanceof LocalProtocolError && error.code === code,
    );
    assert.equal(writer.take().length, 0);
  });

for (const [what, last, to] of [
  ["Connection: close", { keepAlive: false }, GET],
  ["a body until the close", { body: "untilClose" }, GET],
  ["a request that was the last", {}, { ...GET, keepAlive: false }],
  ["101", { status: 101, fields: { Upgrade: "a" } }, GET],
  ["2xx to CONNECT", {}, { ...GET, method: "CONNECT" }],
] as const)
  test(`ResponseWriter refuses another head behind ${what}`, () => {
    const writer = new ResponseWriter();
    writer.head({ status: 200, ...last }, to);
    assert.equal(writer.keepAlive, false);
    writer.end();
    assert.throws(() => writer.head({ status: 200 }, GET), { code: "ERR_HTTP_SEQUENCE" });
  });

test("ResponseWriter.head() writes the same head again as it was, and another one where anything of it is different", () => {
  const fields = HttpFields.from({ "Content-Type": "text/plain" });
  const same: Partial<ResponseInit> = { fields, body: 2, date: "D1", keepAlive: true };
  const text = (
    date: string,
    line: string,
    connection: string = "",
    status = "200 OK",
    content = "hi",
  ): string =>
    `HTTP/1.1 ${status}\r\nContent-Type: text/plain\r\nDate: ${date}\r\n${line}${connection}\r\n${content}`;
  const two = "Content-Length: 2\r\n";
  const unchanged = (): void => {
    for (let time = 0; time < 3; time++) assert.equal(responseText(same, {}, "hi"), text("D1", two));
  };
  unchanged();
  assert.equal(responseText({ ...same, date: "D2" }, {}, "hi"), text("D2", two));
  unchanged();
  assert.equal(
    responseText({ ...same, body: 3 }, {}, "hi!"),
    text("D1", "Content-Length: 3\r\n", "", "200 OK", "hi!"),
  );
  unchanged();
  assert.equal(responseText({ ...same, status: 404 }, {}, "hi"), text("D1", two, "", "404 Not Found"));
  unchanged();
  assert.equal(responseText({ ...same, reason: "Fine" }, {}, "hi"), text("D1", two, "", "200 Fine"));
  unchanged();
  assert.equal(responseText(same, { method: "HEAD" }), text("D1", two, "", "200 OK", ""));
  unchanged();
  const close = "Connection: close\r\n";
  assert.equal(responseText({ ...same, keepAlive: false }, {}, "hi"), text("D1", two, close));
  unchanged();
  assert.equal(responseText(same, { keepAlive: false }, "hi"), text("D1", two, close));
  unchanged();
  const lives = "Connection: keep-alive\r\n";
  assert.equal(responseText(same, { version: "1.0" }, "hi"), text("D1", two, lives));
  unchanged();
  const other = HttpFields.from({ "Content-Type": "text/html" });
  assert.match(responseText({ ...same, fields: other }, {}, "hi"), /text\/html/);
  unchanged();
  assert.equal(
    responseText({ ...same, body: "chunked" }, {}, "hi"),
    text("D1", "Transfer-Encoding: chunked\r\n", "", "200 OK", "2\r\nhi\r\n0\r\n\r\n"),
  );
  assert.throws(() => responseText({ ...same, status: 204 }, {}), { code: "ERR_HTTP_UNEXPECTED_CONTENT" });
  unchanged();
});
