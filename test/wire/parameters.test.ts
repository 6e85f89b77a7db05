// Lists with parameters and quoted strings: what they are, and that nothing else is taken for one.
// oxlint-disable unicorn/no-useless-spread -- long lists keep their lines

import assert from "node:assert/strict";
import { test } from "node:test";
import { isFieldValue, isToken, parseElement, parseList, quoteString } from "berkeley/wire";
import { assertLinear } from "../support/growth.ts";

const told = (text: string): unknown =>
  parseList(text)?.map(({ name, parameters }) => [name, Object.fromEntries(parameters)]);

const lists: Readonly<Record<string, unknown>> = {
  "": [],
  " , ,": [],
  gzip: [["gzip", {}]],
  "GZip , br": [
    ["gzip", {}],
    ["br", {}],
  ],
  ",a,,b,": [
    ["a", {}],
    ["b", {}],
  ],
  "gzip;q=0.5,\tbr ; Q=1 ; x": [
    ["gzip", { q: "0.5" }],
    ["br", { q: "1", x: "" }],
  ],
  'text/html;charset="a b;,\\"\\\\\xff"': [["text/html", { charset: 'a b;,"\\\xff' }]],
  '*/*;a=""': [["*/*", { a: "" }]],
};
for (const [text, expected] of Object.entries(lists))
  test(`parseList() reads ${JSON.stringify(text)}`, () => {
    assert.deepEqual(told(text), expected);
  });

for (const text of [
  ...[
    "a b",
    "a;",
    "a;=b",
    "a;b=",
    "a;b =c",
    "a;b= c",
    'a;b="c',
    'a;b="c"d',
    "a/b/c",
    "a/",
    "/a",
    '"a"',
    "a;b;b",
    "a=b",
  ],
  ...["a\0", "a;b=\x7f", 'a;b="\n"', "ä", "a;b=ü", "(a)", "a:b", 'a;b="\\\0"'],
])
  test(`parseList() takes ${JSON.stringify(text)} for no list`, () => {
    assert.equal(parseList(text), undefined);
  });

test("parseElement() wants one element, whatever its parameters hold", () => {
  assert.equal(parseElement("Text/HTML; charset=utf-8")?.name, "text/html");
  assert.equal(parseElement('a;b="c,d"')?.parameters.get("b"), "c,d");
  for (const text of ["", "a,b", "a b", ","]) assert.equal(parseElement(text), undefined, text);
});

test("quoteString() writes what parseList() reads back, and refuses what cannot be quoted", () => {
  for (const text of ["", "a", 'a"b\\c', "\t \x80\xff"])
    assert.equal(parseElement(`a;b=${quoteString(text)}`)?.parameters.get("b"), text);
  for (const text of ["\r", "\n", "\0", "\x7f", "ā"]) assert.equal(quoteString(text), undefined);
});

for (const piece of ["a,", ",", " ", 'a;b="c",', "a;b=c,", '"', 'a;b="\\\\', "a/"])
  test(`parseList() takes time in proportion to the text: ${JSON.stringify(piece)}`, () => {
    assertLinear(4000, (size) => piece.repeat(size), parseList);
  });

test("isToken() and isFieldValue() let through what RFC 9110 does", () => {
  for (const text of ["a", "!#$%&'*+-.^_`|~09azAZ"]) assert.ok(isToken(text));
  for (const text of ["", "a b", "a:", "a\r", "ä", "a\n", '"', "\0"]) assert.ok(!isToken(text));
  for (const text of ["", "a b\t\x80\xff~"]) assert.ok(isFieldValue(text));
  for (const text of ["\r", "\n", "\0", "\x7f", "\x1f", "ā"]) assert.ok(!isFieldValue(text));
});
