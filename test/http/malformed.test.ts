// Every message of malformed.ts is refused with its own code, however it arrives, and stays refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HTTP_REFUSALS, RequestParser, ResponseParser } from "berkeley/http";
import { RemoteProtocolError } from "berkeley/wire";
import { deliveries } from "../file/deliveries.ts";
import { MALFORMED } from "./malformed.ts";
import type { Malformed } from "./malformed.ts";
import { latin1, run } from "./parsing.ts";

const families: Map<string, Malformed[]> = new Map();
for (const malformed of MALFORMED)
  families.set(malformed.family, [...(families.get(malformed.family) ?? []), malformed]);

function parserOf({ answers, limits }: Malformed): RequestParser | ResponseParser {
  if (answers === undefined) return new RequestParser(limits);
  const parser = new ResponseParser(limits);
  parser.expect(answers);
  return parser;
}

for (const [how, cut] of Object.entries(deliveries))
  for (const [family, cases] of families)
    test(`next() refuses each of ${cases.length} messages of the family "${family}" when delivered ${how}`, () => {
      for (const malformed of cases) {
        const parser = parserOf(malformed);
        const { events, error } = run(parser, cut(latin1(malformed.text)), malformed.ends === true);
        const where = `${malformed.name}: ${JSON.stringify(malformed.text.slice(0, 200))}`;
        assert.ok(error instanceof RemoteProtocolError, `not refused, ${where}`);
        assert.equal(error.code, malformed.code, `${error.message}; ${where}`);
        const answered = family === "unexpected response" ? 1 : 0;
        assert.ok(
          events.filter(({ type }) => type === "end").length <= answered,
          `a whole message, ${where}`,
        );
        assert.throws(() => parser.next(), error, where);
        parser.receive(latin1("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
        assert.throws(() => parser.next(), error, where);
      }
    });

test("the malformed messages are more than 300, none twice, and between them they meet every code", () => {
  const texts = new Set(MALFORMED.map((one) => `${one.answers ?? ""}|${one.ends ?? ""}|${one.text}`));
  assert.equal(texts.size, MALFORMED.length);
  assert.ok(MALFORMED.length >= 300, `${MALFORMED.length}`);
  const met = new Set(MALFORMED.map(({ code }) => code));
  assert.deepEqual(
    HTTP_REFUSALS.filter((code) => !met.has(code)),
    // No parser knows the time, or does what clients do.
    ["ERR_HTTP_TOO_SLOW", "ERR_HTTP_REDIRECT", "ERR_HTTP_CONTENT_CODING"],
  );
});
