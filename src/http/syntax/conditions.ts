// Whether a request's conditions hold: RFC 9110 section 13. It compares what the client has with what there is, by entity
// tags and dates, in the order that section 13.2.2 gives. It knows fields and no files.

import { parseHttpDate } from "./date.ts";
import type { HttpFields } from "./fields.ts";

/** What is known of the content that there is. */
export interface Validators {
  /** With its quotes, and W/ if it is weak; undefined: none. */
  readonly etag: string | undefined;
  /** Milliseconds since 1970; undefined: not known. */
  readonly modifiedMs: number | undefined;
}

/** What follows: answer as asked; as if no Range were there; 304; 412. */
export type Verdict = "proceed" | "whole" | "notModified" | "failed";

const SECOND_MS = 1000;
/** An entity tag, and what may stand between two. Sticky, so that a list is read once. */
const TAG = /[ \t]*((?:W\/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?:,[ \t,]*|$)/y;

/** The tags of a list; undefined: it is none. */
function tagsOf(text: string): string[] | undefined {
  const tags: string[] = [];
  TAG.lastIndex = 0;
  while (TAG.lastIndex < text.length) {
    const found = TAG.exec(text);
    if (found === null) return undefined;
    tags.push(found[1] as string);
  }
  return tags;
}

const isWeak = (tag: string): boolean => tag.startsWith("W/");
const opaque = (tag: string): string => (isWeak(tag) ? tag.slice(2) : tag);

/** Whether a list has the tag: "*" has every one that is there. */
function hasTag(list: string, etag: string | undefined, strongly: boolean): boolean {
  if (list === "*") return true;
  if (etag === undefined || (strongly && isWeak(etag))) return false;
  return tagsOf(list)?.some((tag) => !(strongly && isWeak(tag)) && opaque(tag) === opaque(etag)) ?? false;
}

/** Seconds, for that is what dates in fields have; undefined: the field is absent or no date, and is passed over. */
function secondsOf(text: string | undefined, nowMs: number): number | undefined {
  const ms = text === undefined ? undefined : parseHttpDate(text, nowMs);
  return ms === undefined ? undefined : Math.floor(ms / SECOND_MS);
}

/**
 * Judges a request for content that there is.
 *
 * @param nowMs  the present, for dates with years of two digits.
 */
export function judge(
  method: string,
  fields: HttpFields,
  { etag, modifiedMs }: Validators,
  nowMs: number,
): Verdict {
  const modified = modifiedMs === undefined ? undefined : Math.floor(modifiedMs / SECOND_MS);
  const reads = method === "GET" || method === "HEAD";
  const match = fields.get("if-match");
  if (match === undefined) {
    const since = secondsOf(fields.get("if-unmodified-since"), nowMs);
    if (since !== undefined && modified !== undefined && modified > since) return "failed";
  } else if (!hasTag(match, etag, true)) return "failed";
  const noneMatch = fields.get("if-none-match");
  if (noneMatch === undefined) {
    const since = secondsOf(fields.get("if-modified-since"), nowMs);
    if (reads && since !== undefined && modified !== undefined && modified <= since) return "notModified";
  } else if (hasTag(noneMatch, etag, false)) return reads ? "notModified" : "failed";
  const range = fields.get("if-range");
  return range === undefined || holdsRange(range, etag, modified, nowMs) ? "proceed" : "whole";
}

/** If-Range: a strong tag, or exactly the date. */
function holdsRange(
  text: string,
  etag: string | undefined,
  modified: number | undefined,
  nowMs: number,
): boolean {
  if (text.includes('"')) return etag !== undefined && !isWeak(etag) && text === etag;
  const date = secondsOf(text, nowMs);
  return date !== undefined && date === modified;
}
