// EventStreamParser: the examples of the HTML standard and the corners of its grammar, however they arrive; its limits.

import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStreamParser } from "berkeley/http";
import type { EventStreamLimits, RetryTime, ServerSentEvent } from "berkeley/http";
import { NEED_DATA, RemoteProtocolError } from "berkeley/wire";
import { deliveries } from "../file/deliveries.ts";

type Told = [event: string, data: string, id: string] | number;

function told(event: ServerSentEvent | RetryTime): Told {
  return event.type === "retry" ? event.ms : [event.event, event.data, event.id];
}

function run(pieces: readonly Buffer[], limits?: Partial<EventStreamLimits>): Told[] {
  const parser = new EventStreamParser(limits);
  const events: Told[] = [];
  for (const piece of pieces) {
    parser.receive(piece);
    for (let event = parser.next(); event !== NEED_DATA; event = parser.next()) events.push(told(event));
  }
  return events;
}

const cases: readonly (readonly [name: string, text: string, events: Told[]])[] = [
  [
    "the standard's first example",
    "data: This is the first message.\n\ndata: This is the second message, it\ndata: has two lines.\n\ndata: This is the third message.\n\n",
    [
      ["message", "This is the first message.", ""],
      ["message", "This is the second message, it\nhas two lines.", ""],
      ["message", "This is the third message.", ""],
    ],
  ],
  [
    "named events",
    "event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\n",
    [
      ["add", "73857293", ""],
      ["remove", "2153", ""],
    ],
  ],
  [
    "comments, ids that stay and an id that is taken back",
    ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
    [
      ["message", "first event", "1"],
      ["message", "second event", ""],
      ["message", " third event", ""],
    ],
  ],
  [
    "data without a value, twice, and an end within an event",
    "data\n\ndata\ndata\n\ndata:",
    [
      ["message", "", ""],
      ["message", "\n", ""],
    ],
  ],
  [
    "a value with and without a space",
    "data:test\n\ndata: test\n\n",
    [
      ["message", "test", ""],
      ["message", "test", ""],
    ],
  ],
  [
    "CR LF, CR and LF as ends of lines",
    "data: a\r\n\r\ndata: b\r\rdata: c\n\ndata: d\r\n\n",
    [
      ["message", "a", ""],
      ["message", "b", ""],
      ["message", "c", ""],
      ["message", "d", ""],
    ],
  ],
  ["a byte order mark, once", "\ufeffdata: a\n\n\ufeffdata: b\n\n", [["message", "a", ""]]],
  ["times to wait, and what is none", "retry: 10\nretry: 1x\nretry:\nretry: -1\nretry: 20\n\n", [10, 20]],
  ["an event without data that has an id", "id: 7\nevent: x\n\ndata: a\n\n", [["message", "a", "7"]]],
  [
    "an id with NUL, which is none",
    "id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n",
    [
      ["message", "a", "1"],
      ["message", "b", "1"],
    ],
  ],
  ["fields that are not known", "other: x\nDATA: y\ndata : z\ndata: a\n\n", [["message", "a", ""]]],
  ["UTF-8, cut anywhere", "data: grüße 🌍\n\n", [["message", "grüße 🌍", ""]]],
  ["what is no UTF-8", "data: a\xff\n\n", [["message", "a\ufffd", ""]]],
];

for (const [how, cut] of Object.entries(deliveries))
  for (const [name, text, events] of cases)
    test(`next() gives ${name} when delivered ${how}`, () => {
      const isBytes = text.includes("\xff");
      assert.deepEqual(run(cut(Buffer.from(text, isBytes ? "latin1" : "utf8"))), events);
    });

for (const [how, cut] of Object.entries(deliveries))
  for (const [what, text, limits] of [
    ["a line", `data: ${"x".repeat(100)}`, { lineBytesMax: 50 }],
    ["the data of an event", "data: 1234\n".repeat(30), { dataLengthMax: 100 }],
    ["empty lines of data", "data\n".repeat(102), { dataLengthMax: 100 }],
  ] as const)
    test(`next() refuses ${what} over its limit when delivered ${how}, and from then on`, () => {
      const parser = new EventStreamParser(limits);
      const read = (): void => {
        for (const piece of cut(Buffer.from(`data: fits\n\n${text}\n\n`))) {
          parser.receive(piece);
          while (parser.next() !== NEED_DATA);
        }
      };
      assert.throws(read, (error) => {
        assert.ok(error instanceof RemoteProtocolError);
        assert.equal(error.code, "ERR_EVENT_STREAM_TOO_LARGE");
        return true;
      });
      assert.throws(() => parser.next(), { code: "ERR_EVENT_STREAM_TOO_LARGE" });
    });

test("lastId is that of the last complete event", () => {
  const parser = new EventStreamParser();
  parser.receive(Buffer.from("id: 1\ndata: a\n\nid: 2\ndata: b\n"));
  assert.notEqual(parser.next(), NEED_DATA);
  assert.equal(parser.next(), NEED_DATA);
  assert.equal(parser.lastId, "1");
});
