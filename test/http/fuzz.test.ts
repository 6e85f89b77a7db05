// Random messages: what the writers write is what the parsers read, at every cut; what is broken at random is read or
// refused alike however it is cut, and nothing but a ProtocolError is thrown. FUZZ_SEED repeats a run.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RequestWriter, ResponseWriter } from "berkeley/http";
import { deliveries } from "../file/deliveries.ts";
import { Random } from "../support/random.ts";
import { MALFORMED } from "./malformed.ts";
import { latin1, runRequests, runResponses } from "./parsing.ts";
import type { Outcome, Told } from "./parsing.ts";

const TOKEN = "!#$%&'*+-.^_`|~09azAZ";
const VALUE = `${TOKEN}"(),/:;<=>?@[\\]{} \t\x80\xff`;

function text(random: Random, characters: string, length: number): string {
  let made = "";
  while (made.length < length) made += characters[random.below(characters.length)] as string;
  return made;
}

/** Fields that decide nothing. Their values do not begin or end with a blank: those are not the value's. */
function fields(random: Random): [string, string][] {
  return Array.from({ length: random.below(5) }, () => [
    `x-${text(random, TOKEN, random.below(12)).toLowerCase()}`,
    text(random, VALUE, random.below(40)).replaceAll(/^[ \t]+|[ \t]+$/g, ""),
  ]);
}

interface Content {
  readonly body: number | "chunked";
  readonly pieces: readonly string[];
  readonly trailers: [string, string][];
}

function content(random: Random): Content {
  const pieces = Array.from({ length: random.below(4) }, () => text(random, VALUE, random.below(60)));
  if (random.onceIn(2)) return { body: "chunked", pieces, trailers: fields(random) };
  return { body: pieces.join("").length, pieces, trailers: [] };
}

const dataEvents = ({ pieces }: Content): Told[] => {
  const all = pieces.join("");
  return all === "" ? [] : [{ type: "data", text: all }];
};

function framingFields({ body }: Content, says: boolean): [string, string][] {
  if (body === "chunked") return [["transfer-encoding", "chunked"]];
  return says || body > 0 ? [["content-length", String(body)]] : [];
}

/** Some requests as they are written, and what is to be told of them. */
function requests(random: Random): { readonly bytes: Buffer; readonly events: Told[] } {
  const writer = new RequestWriter();
  const events: Told[] = [];
  for (let count = 1 + random.below(3); count > 0; count--) {
    const last = count === 1 && random.onceIn(3);
    const method = random.pick(["GET", "POST", "DELETE", text(random, TOKEN, 1 + random.below(9))]);
    const target = `/${text(random, "ab/?=&%20{|}", random.below(30))}`;
    const made = fields(random);
    const sent = content(random);
    writer.head({
      method,
      target,
      fields: [["Host", "h:1"], ...made],
      body: sent.body,
      keepAlive: !last,
    });
    for (const piece of sent.pieces) writer.data(latin1(piece));
    writer.end(sent.body === "chunked" ? sent.trailers : undefined);
    const says = ["POST", "PUT", "PATCH"].includes(method);
    const framed: [string, string][] = framingFields(sent, says);
    const connection: [string, string][] = last ? [["connection", "close"]] : [];
    events.push(
      {
        type: "request",
        method,
        target,
        version: "1.1",
        fields: [["host", "h:1"], ...made, ...framed, ...connection],
        authority: "h:1",
        body: sent.body,
        keepAlive: !last,
        expectsContinue: false,
        upgrade: false,
      },
      ...dataEvents(sent),
      { type: "end", trailers: sent.trailers },
    );
    if (last) events.push({ type: "closed" });
  }
  return { bytes: writer.take(), events };
}

/** The same of responses. */
function responses(random: Random): {
  readonly bytes: Buffer;
  readonly events: Told[];
  readonly methods: string[];
} {
  const writer = new ResponseWriter();
  const events: Told[] = [];
  const methods: string[] = [];
  for (let count = 1 + random.below(3); count > 0; count--) {
    const method = random.pick(["GET", "HEAD", "POST"]);
    const to = { method, version: "1.1", keepAlive: true } as const;
    methods.push(method);
    const status = random.pick([200, 204, 304, 404, 599]);
    const reason = text(random, VALUE, random.below(10));
    const made = fields(random);
    if (random.onceIn(4)) {
      writer.informational(103, to, made);
      events.push({
        type: "informational",
        status: 103,
        reason: "Early Hints",
        version: "1.1",
        fields: made,
      });
    }
    const sent: Content = status === 204 ? { body: 0, pieces: [], trailers: [] } : content(random);
    const follows = writer.head({ status, reason, fields: made, body: sent.body }, to);
    if (follows) {
      for (const piece of sent.pieces) writer.data(latin1(piece));
      writer.end(sent.body === "chunked" ? sent.trailers : undefined);
    } else writer.end();
    const says = status !== 204 && (status !== 304 || sent.body !== 0);
    events.push({
      type: "response",
      status,
      reason,
      version: "1.1",
      fields: [...made, ...framingFields(sent, says)],
      body: follows ? sent.body : 0,
      keepAlive: true,
      upgrade: false,
    });
    if (follows) events.push(...dataEvents(sent));
    events.push({ type: "end", trailers: follows ? sent.trailers : [] });
  }
  return { bytes: writer.take(), events, methods };
}

test("RequestParser reads what RequestWriter wrote, at every cut", () => {
  const random = new Random();
  for (let round = 0; round < 60; round++) {
    const { bytes, events } = requests(random);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const found = runRequests([bytes.subarray(0, cut), bytes.subarray(cut)]);
      assert.equal(found.error, undefined, `seed ${random.seed}, cut ${cut}: ${bytes.toString("latin1")}`);
      assert.deepEqual(found.events, events, `seed ${random.seed}, cut ${cut}`);
    }
  }
});

test("ResponseParser reads what ResponseWriter wrote, at every cut", () => {
  const random = new Random();
  for (let round = 0; round < 60; round++) {
    const { bytes, events, methods } = responses(random);
    for (let cut = 0; cut <= bytes.length; cut++) {
      const found = runResponses(methods, [bytes.subarray(0, cut), bytes.subarray(cut)]);
      assert.equal(found.error, undefined, `seed ${random.seed}, cut ${cut}: ${bytes.toString("latin1")}`);
      assert.deepEqual(found.events, events, `seed ${random.seed}, cut ${cut}`);
    }
  }
});

/** Breaks bytes in a few places, with what breaks messages. */
function broken(random: Random, bytes: Buffer): Buffer {
  let made = Buffer.from(bytes);
  for (let count = 1 + random.below(3); count > 0; count--) {
    const at = random.below(made.length + 1);
    const piece = random.pick([
      "\r",
      "\n",
      "\r\n",
      "\0",
      " ",
      ":",
      ",",
      ";",
      "0",
      "5",
      "\t",
      "\xff",
      "chunked",
      "Host: b\r\n",
    ]);
    const removed = random.below(3);
    made = Buffer.concat([made.subarray(0, at), latin1(piece), made.subarray(at + removed)]);
  }
  return made;
}

/** The same in all deliveries: the code of what was refused, and what was told before. */
function summary({ events, error }: Outcome): unknown {
  return { events, code: error?.code };
}

test("both parsers read or refuse what was broken at random alike, however it is cut", () => {
  const random = new Random();
  let refused = 0;
  const ROUNDS = 3000;
  for (let round = 0; round < ROUNDS; round++) {
    const isRequest = random.onceIn(2);
    const original = isRequest
      ? random.onceIn(2)
        ? requests(random).bytes
        : latin1(random.pick(MALFORMED.slice(0, 400)).text)
      : responses(random).bytes;
    // With an end of line: what is wrong in an unfinished line is told when that comes, or before.
    const bytes = Buffer.concat([broken(random, original), latin1("\r\n")]);
    if (bytes.length > 2000) continue;
    const ends = random.onceIn(2);
    const outcomes = Object.values(deliveries).map((cut) =>
      isRequest ? runRequests(cut(bytes), ends) : runResponses(["GET", "GET", "GET"], cut(bytes), ends),
    );
    const [first, ...others] = outcomes.map(summary);
    for (const other of others)
      assert.deepEqual(other, first, `seed ${random.seed}: ${JSON.stringify(bytes.toString("latin1"))}`);
    if (outcomes[0]?.error !== undefined) refused++;
  }
  assert.ok(refused > ROUNDS / 4, `${refused} of ${ROUNDS} were refused`);
});

test("both parsers throw nothing but a ProtocolError at bytes that are no HTTP at all", () => {
  const random = new Random();
  for (let round = 0; round < 2000; round++) {
    const bytes = Buffer.from(Array.from({ length: random.below(300) }, () => random.below(256)));
    const prefix = random.pick([
      "",
      "GET / HTTP/1.1\r\n",
      "HTTP/1.1 200 OK\r\n",
      "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nHost: a\r\n\r\n",
    ]);
    const cut = random.pick(Object.values(deliveries));
    runRequests(cut(Buffer.concat([latin1(prefix), bytes])), random.onceIn(2));
    runResponses(["GET"], cut(Buffer.concat([latin1(prefix), bytes])), random.onceIn(2));
  }
});
