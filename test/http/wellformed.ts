// Messages that are right, and what the parsers are to tell of them. Data only; who runs them, the tests beside know.

import type { Told } from "./parsing.ts";

const END = { type: "end", trailers: [] };
const CLOSED = { type: "closed" };

/** A request's head as parsing.ts tells it, with what most have. */
const request = (more: Record<string, unknown> = {}): Told => ({
  type: "request",
  method: "GET",
  target: "/",
  version: "1.1",
  fields: [["host", "a"]],
  authority: "a",
  body: 0,
  keepAlive: true,
  expectsContinue: false,
  upgrade: false,
  ...more,
});

const response = (more: Record<string, unknown> = {}): Told => ({
  type: "response",
  status: 200,
  reason: "OK",
  version: "1.1",
  fields: [],
  body: 0,
  keepAlive: true,
  upgrade: false,
  ...more,
});

/** One or more messages. */
export interface WellFormed {
  readonly name: string;
  /** Each character is one byte. */
  readonly text: string;
  readonly events: readonly Told[];
  /** Of responses: the requests' methods. */
  readonly answers?: readonly string[];
  readonly ends?: boolean;
}

const OK = "HTTP/1.1 200 OK\r\n";
const LENGTH_5 = "Content-Length: 5\r\n";

/** All of them. */
export const WELL_FORMED: readonly WellFormed[] = [
  { name: "a request", text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n", events: [request(), END] },
  {
    name: "pipelined requests",
    text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(3),
    events: [request(), END, request(), END, request(), END],
  },
  {
    name: "an empty line before each request",
    text: "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2),
    events: [request(), END, request(), END],
  },
  {
    name: "blanks around values, empty values, names in any case, a name that comes twice",
    text: "GET / HTTP/1.1\r\nHOST: \t a \t\r\nX-Empty:\r\nx-one:1\r\nX-One: 2  3\r\nAccept:\t*/*\r\n\r\n",
    events: [
      request({
        fields: [
          ["host", "a"],
          ["x-empty", ""],
          ["x-one", "1"],
          ["x-one", "2  3"],
          ["accept", "*/*"],
        ],
      }),
      END,
    ],
  },
  {
    name: "every character that may stand in names and values",
    text: "GET / HTTP/1.1\r\nHost: a\r\n!#$%&'*+-.^_`|~09azAZ: \x80\xff \"(),/:;<=>?@[\\]{}\t~\r\n\r\n",
    events: [
      request({
        fields: [
          ["host", "a"],
          ["!#$%&'*+-.^_`|~09azaz", '\x80\xff "(),/:;<=>?@[\\]{}\t~'],
        ],
      }),
      END,
    ],
  },
  {
    name: "a method that nobody knows, and a target with what browsers leave unescaped",
    text: "get-all /a/[b]?{c}|d^`\\e=%20'() HTTP/1.1\r\nHost: a\r\n\r\n",
    events: [request({ method: "get-all", target: "/a/[b]?{c}|d^`\\e=%20'()" }), END],
  },
  {
    name: "a whole URI, whose host wins over nothing, for Host is the same",
    text: "GET HTTP://A.example:80/b?c HTTP/1.1\r\nHost: a.example\r\n\r\n",
    events: [
      request({
        target: "HTTP://A.example:80/b?c",
        authority: "A.example:80",
        fields: [["host", "a.example"]],
      }),
      END,
    ],
  },
  {
    name: "IPv6 in Host",
    text: "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n",
    events: [request({ fields: [["host", "[::1]:8080"]], authority: "[::1]:8080" }), END],
  },
  {
    name: "OPTIONS of the server",
    text: "OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n",
    events: [request({ method: "OPTIONS", target: "*", fields: [["host", ""]], authority: "" }), END],
  },
  {
    name: "content of a length",
    text: `POST / HTTP/1.1\r\nHost: a\r\n${LENGTH_5}\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n`,
    events: [
      request({
        method: "POST",
        body: 5,
        fields: [
          ["host", "a"],
          ["content-length", "5"],
        ],
      }),
      { type: "data", text: "hello" },
      END,
      request(),
      END,
    ],
  },
  {
    name: "chunks with extensions and trailers",
    text:
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n" +
      '5;a\r\nhello\r\n006 ; a = "b\\"c\xe9" ;d=e\t;f\r\n world\r\nA\r\n0123456789\r\n000;last\r\n' +
      "X-Sum: 1\r\nServer-Timing: \r\n\r\n",
    events: [
      request({
        method: "POST",
        body: "chunked",
        fields: [
          ["host", "a"],
          ["transfer-encoding", "Chunked"],
        ],
      }),
      { type: "data", text: "hello world0123456789" },
      {
        type: "end",
        trailers: [
          ["x-sum", "1"],
          ["server-timing", ""],
        ],
      },
    ],
  },
  {
    name: "Connection: close, and nothing behind it",
    text: "GET / HTTP/1.1\r\nHost: a\r\nConnection: a, CLOSE\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n",
    events: [
      request({
        keepAlive: false,
        fields: [
          ["host", "a"],
          ["connection", "a, CLOSE"],
        ],
      }),
      END,
      CLOSED,
    ],
  },
  {
    name: "HTTP/1.0, which ends the connection",
    text: "GET / HTTP/1.0\r\n\r\n",
    events: [request({ version: "1.0", keepAlive: false, fields: [], authority: "" }), END, CLOSED],
  },
  {
    name: "HTTP/1.0 that lives on, and expects and upgrades nothing",
    text: "GET / HTTP/1.0\r\nConnection: Keep-Alive, upgrade\r\nExpect: 100-continue\r\nUpgrade: a\r\n\r\n",
    events: [
      request({
        version: "1.0",
        authority: "",
        fields: [
          ["connection", "Keep-Alive, upgrade"],
          ["expect", "100-continue"],
          ["upgrade", "a"],
        ],
      }),
      END,
    ],
  },
  {
    name: "keep-alive beside close, which closes",
    text: "GET / HTTP/1.0\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
    events: [
      request({
        version: "1.0",
        keepAlive: false,
        authority: "",
        fields: [
          ["connection", "keep-alive"],
          ["connection", "close"],
        ],
      }),
      END,
      CLOSED,
    ],
  },
  {
    name: "Expect: 100-continue",
    text: `POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n${LENGTH_5}\r\n`,
    events: [
      request({
        method: "POST",
        body: 5,
        expectsContinue: true,
        fields: [
          ["host", "a"],
          ["expect", "100-Continue"],
          ["content-length", "5"],
        ],
      }),
    ],
  },
  {
    name: "Upgrade without Connection, which offers nothing",
    text: "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: b\r\n\r\n",
    events: [
      request({
        fields: [
          ["host", "a"],
          ["upgrade", "b"],
        ],
      }),
      END,
    ],
  },
  {
    name: "the end between requests",
    text: "GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
    ends: true,
    events: [request(), END, CLOSED],
  },
  { name: "the end before any request", text: "", ends: true, events: [CLOSED] },
  {
    name: "a response until the close",
    text: `${OK}\r\nhello`,
    answers: ["GET"],
    ends: true,
    events: [
      response({ body: "untilClose", keepAlive: false }),
      { type: "data", text: "hello" },
      END,
      CLOSED,
    ],
  },
  {
    name: "a response of HTTP/1.0 with a length, which ends the connection",
    text: `HTTP/1.0 200 OK\r\n${LENGTH_5}\r\nhello`,
    answers: ["GET"],
    events: [
      response({ version: "1.0", body: 5, keepAlive: false, fields: [["content-length", "5"]] }),
      { type: "data", text: "hello" },
      END,
      CLOSED,
    ],
  },
  {
    name: "a status without a reason, with and without its blank, and a status beyond 599",
    text: "HTTP/1.1 204\r\n\r\nHTTP/1.1 204 \r\n\r\nHTTP/1.1 999 A \xe9\tb\r\nContent-Length: 0\r\n\r\n",
    answers: ["GET", "GET", "GET"],
    events: [
      response({ status: 204, reason: "" }),
      END,
      response({ status: 204, reason: "" }),
      END,
      response({ status: 999, reason: "A \xe9\tb", fields: [["content-length", "0"]] }),
      END,
    ],
  },
  {
    name: "responses without content: HEAD, 204, 304, whatever length they tell",
    text: `${OK}${LENGTH_5}\r\n${OK}Transfer-Encoding: chunked\r\n\r\nHTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\nHTTP/1.1 304 No\r\n${LENGTH_5}\r\n${OK}${LENGTH_5}\r\nhello`,
    answers: ["HEAD", "HEAD", "GET", "GET", "GET"],
    events: [
      response({ fields: [["content-length", "5"]] }),
      END,
      response({ fields: [["transfer-encoding", "chunked"]] }),
      END,
      response({ status: 204, reason: "No", fields: [["content-length", "0"]] }),
      END,
      response({ status: 304, reason: "No", fields: [["content-length", "5"]] }),
      END,
      response({ body: 5, fields: [["content-length", "5"]] }),
      { type: "data", text: "hello" },
      END,
    ],
  },
  {
    name: "informational responses before the final one",
    text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
    answers: ["GET"],
    events: [
      { type: "informational", status: 100, reason: "Continue", version: "1.1", fields: [] },
      { type: "informational", status: 103, reason: "Early Hints", version: "1.1", fields: [["link", "a"]] },
      response({ status: 204, reason: "No" }),
      END,
    ],
  },
];
