// Ranges, conditions, codings, dates and paths as tables: what a field's value comes to.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpFields, formatHttpDate, parseHttpDate } from "berkeley/http";
import { judge } from "#dist/http/syntax/conditions.js";
import { pickEncoding } from "#dist/http/syntax/encodings.js";
import { mediaTypeOf } from "#dist/http/syntax/media-types.js";
import { pathNames } from "#dist/http/syntax/paths.js";
import { readRange } from "#dist/http/syntax/ranges.js";
import { assertLinear } from "../support/growth.ts";

const ranges: Readonly<Record<string, string | (readonly [number, number])[]>> = {
  "bytes=0-0": [[0, 1]],
  "bytes=0-9": [[0, 10]],
  "bytes=5-": [[5, 5]],
  "bytes=5-99": [[5, 5]],
  "bytes=-3": [[7, 3]],
  "bytes=-99": [[0, 10]],
  "Bytes=0-1, 4-5 ,\t-2": [
    [0, 2],
    [4, 2],
    [8, 2],
  ],
  "bytes=,0-1,": [[0, 2]],
  "bytes=0-1,20-30": [[0, 2]],
  "bytes=10-": "none",
  "bytes=10-20,30-": "none",
  "bytes=-0": "none",
  "bytes=": "all",
  "bytes=a-b": "all",
  "bytes=5-4": "all",
  "bytes=-": "all",
  "bytes=1 - 2": "all",
  "bytes=0-1;2-3": "all",
  "bytes 0-1": "all",
  "items=0-1": "all",
  "bytes=0-9,0-9": "all",
  "bytes=0-0,1-1,2-2,3-3,4-4,5-5,6-6,7-7,8-8": "all",
  "bytes=1111111111111111-": "all",
};
for (const [range, wanted] of Object.entries(ranges))
  test(`readRange() makes of ${JSON.stringify(range)} of 10 bytes: ${JSON.stringify(wanted)}`, () => {
    const found = readRange(range, 10);
    assert.deepEqual(
      typeof found === "string" ? found : found.map(({ start, length }) => [start, length]),
      wanted,
    );
  });

test("readRange() finds nothing in an empty content, and reads lists in proportion to their length", () => {
  assert.equal(readRange("bytes=0-", 0), "none");
  assert.equal(readRange("bytes=-1", 0), "none");
  for (const piece of ["0-0,", ",", " ,", "0-", "-"])
    assertLinear(
      2000,
      (size) => `bytes=${piece.repeat(size)}`,
      (text) => readRange(text, 10),
    );
});

const MODIFIED = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE = "Sun, 06 Nov 1994 08:49:36 GMT";
const AFTER = "Sun, 06 Nov 1994 08:49:38 GMT";
const now = Date.parse("2020-01-01");
const strong = { etag: '"a"', modifiedMs: Date.parse(MODIFIED) + 999 };
const weak = { ...strong, etag: 'W/"a"' };
const none = { etag: undefined, modifiedMs: undefined };

const conditions: readonly (readonly [
  string,
  Readonly<Record<string, string>>,
  typeof strong | typeof none,
  string,
])[] = [
  ["GET", {}, strong, "proceed"],
  ["GET", { "If-None-Match": '"a"' }, strong, "notModified"],
  ["HEAD", { "If-None-Match": '"b", W/"a"' }, strong, "notModified"],
  ["GET", { "If-None-Match": '"a"' }, weak, "notModified"],
  ["GET", { "If-None-Match": "*" }, strong, "notModified"],
  ["GET", { "If-None-Match": '"b"' }, strong, "proceed"],
  ["GET", { "If-None-Match": "a" }, strong, "proceed"],
  ["GET", { "If-None-Match": '"a", b' }, strong, "proceed"],
  ["GET", { "If-None-Match": '"b" "a"' }, strong, "proceed"],
  ["PUT", { "If-None-Match": "*" }, strong, "failed"],
  ["PUT", { "If-None-Match": '"a"' }, strong, "failed"],
  ["GET", { "If-Modified-Since": MODIFIED }, strong, "notModified"],
  ["GET", { "If-Modified-Since": AFTER }, strong, "notModified"],
  ["GET", { "If-Modified-Since": BEFORE }, strong, "proceed"],
  ["GET", { "If-Modified-Since": "yesterday" }, strong, "proceed"],
  ["PUT", { "If-Modified-Since": MODIFIED }, strong, "proceed"],
  ["GET", { "If-Modified-Since": MODIFIED }, none, "proceed"],
  ["GET", { "If-None-Match": '"b"', "If-Modified-Since": AFTER }, strong, "proceed"],
  ["PUT", { "If-Match": '"a"' }, strong, "proceed"],
  ["PUT", { "If-Match": "*" }, strong, "proceed"],
  ["PUT", { "If-Match": '"b", "a"' }, strong, "proceed"],
  ["PUT", { "If-Match": '"b"' }, strong, "failed"],
  ["PUT", { "If-Match": 'W/"a"' }, strong, "failed"],
  ["PUT", { "If-Match": 'W/"a"' }, weak, "failed"],
  ["PUT", { "If-Match": '"a"' }, none, "failed"],
  ["PUT", { "If-Unmodified-Since": MODIFIED }, strong, "proceed"],
  ["PUT", { "If-Unmodified-Since": BEFORE }, strong, "failed"],
  ["PUT", { "If-Unmodified-Since": "never" }, strong, "proceed"],
  ["PUT", { "If-Match": '"a"', "If-Unmodified-Since": BEFORE }, strong, "proceed"],
  ["GET", { "If-Match": '"a"', "If-None-Match": '"a"' }, strong, "notModified"],
  ["GET", { "If-Range": '"a"' }, strong, "proceed"],
  ["GET", { "If-Range": '"b"' }, strong, "whole"],
  ["GET", { "If-Range": 'W/"a"' }, weak, "whole"],
  ["GET", { "If-Range": MODIFIED }, strong, "proceed"],
  ["GET", { "If-Range": AFTER }, strong, "whole"],
  ["GET", { "If-Range": "a" }, strong, "whole"],
  ["GET", { "If-Range": '"a"' }, none, "whole"],
];
for (const [method, fields, validators, verdict] of conditions)
  test(`judge() says ${verdict} to ${method} with ${JSON.stringify(fields)} of ${String(validators.etag)}`, () => {
    assert.equal(judge(method, HttpFields.from(fields), validators, now), verdict);
  });

test("judge() reads lists of tags in proportion to their length", () => {
  for (const piece of ['"b",', ",", " ", '"', 'W/"b" ,'])
    assertLinear(
      2000,
      (size) => piece.repeat(size),
      (text) => {
        judge("GET", HttpFields.from({ "If-None-Match": text }), strong, now);
      },
    );
});

const codings: readonly (readonly [string | undefined, string | undefined])[] = [
  [undefined, undefined],
  ["", undefined],
  ["gzip", "gzip"],
  ["GZIP", "gzip"],
  ["x-gzip", "gzip"],
  ["br, gzip", "br"],
  ["gzip, br", "br"],
  ["gzip;q=1.0, br;q=0.9", "gzip"],
  ["gzip;q=0", undefined],
  ["*", "br"],
  ["*;q=0", undefined],
  ["br;q=0, *", "gzip"],
  ["identity", undefined],
  ["identity;q=0.5, gzip", "gzip"],
  ["identity, gzip;q=0.5", undefined],
  ["identity;q=0.5, gzip;q=0.5", "gzip"],
  ["deflate", undefined],
  ["gzip;q=2", undefined],
  ["gzip;q=0.0001", undefined],
  ["gzip;;", undefined],
];
for (const [accept, coding] of codings)
  test(`pickEncoding() takes ${String(coding)} for ${JSON.stringify(accept)}`, () => {
    assert.equal(pickEncoding(accept, ["br", "gzip"]), coding);
  });

test("formatHttpDate() and parseHttpDate() agree on each day of four hundred years", () => {
  for (let day = 0; day < 146_097; day += 31) {
    const ms = Date.UTC(1900, 0, 1) + day * 86_400_000 + ((day * 7919) % 86_400) * 1000;
    const text = formatHttpDate(ms);
    assert.equal(text, new Date(ms).toUTCString());
    assert.equal(parseHttpDate(text, now), ms);
  }
});

const dates: Readonly<Record<string, string | undefined>> = {
  "Sunday, 06-Nov-94 08:49:37 GMT": "1994-11-06T08:49:37Z",
  "Thursday, 06-Nov-69 08:49:37 GMT": "2069-11-06T08:49:37Z",
  "Friday, 06-Nov-71 08:49:37 GMT": "1971-11-06T08:49:37Z",
  "Sun Nov  6 08:49:37 1994": "1994-11-06T08:49:37Z",
  "Sun Nov 16 08:49:37 1994": "1994-11-16T08:49:37Z",
  "Thu, 29 Feb 2024 23:59:60 GMT": "2024-03-01T00:00:00Z",
  "Wed, 29 Feb 2023 00:00:00 GMT": undefined,
  "Sun, 31 Nov 1994 08:49:37 GMT": undefined,
  "Sun, 06 Nov 1994 24:00:00 GMT": undefined,
  "Sun, 06 Nov 1994 08:60:00 GMT": undefined,
  "Sun, 06 Nov 1994 08:49:37 CET": undefined,
  "sun, 06 nov 1994 08:49:37 gmt": undefined,
  "Sun, 6 Nov 1994 08:49:37 GMT": undefined,
  "1994-11-06T08:49:37Z": undefined,
  "784111777": undefined,
  "": undefined,
};
for (const [text, iso] of Object.entries(dates))
  test(`parseHttpDate() makes of ${JSON.stringify(text)}: ${String(iso)}`, () => {
    assert.equal(parseHttpDate(text, now), iso === undefined ? undefined : Date.parse(iso));
  });

const paths: Readonly<Record<string, readonly string[] | undefined>> = {
  "/": [""],
  "/a": ["a"],
  "/a/b%20c/": ["a", "b c", ""],
  "/%C3%BC": ["ü"],
  "//a": ["", "a"],
  "/..": undefined,
  "/a/../b": undefined,
  "/%2e%2e/a": undefined,
  "/%2E./a": undefined,
  "/a/.": undefined,
  "/a%2fb": undefined,
  "/a%5cb": undefined,
  "/a\\b": undefined,
  "/a%00": undefined,
  "/a%0a": undefined,
  "/%": undefined,
  "/%c3%28": undefined,
  "/%c0%ae%c0%ae/a": undefined,
  "/%252e%252e": ["%2e%2e"],
};
for (const [path, names] of Object.entries(paths))
  test(`pathNames() makes of ${JSON.stringify(path)}: ${JSON.stringify(names)}`, () => {
    assert.deepEqual(pathNames(path), names);
  });

test("mediaTypeOf() goes by the last ending, in any case", () => {
  assert.equal(mediaTypeOf("/a/b.tar.GZ"), "application/gzip");
  assert.equal(mediaTypeOf("a.HTML"), "text/html; charset=utf-8");
  for (const name of ["a", "a.constructor", "a.", ".html", "a.unknown"])
    assert.equal(mediaTypeOf(name), "application/octet-stream", name);
});
