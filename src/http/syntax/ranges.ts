// Parts of a content that a client asks for: RFC 9110 section 14. What is asked is held to what there is; how much of it
// may be asked is bounded, for each part costs more to send than to ask for. It reads no content.

/** A part of a content: its first byte and how many there are, 1 or more. */
export interface ByteRange {
  readonly start: number;
  readonly length: number;
}

/**
 * More parts than this are no reasonable wish (RFC 9110 section 14.2 lets a server pass over them); a client that joins a
 * file from pieces asks for a few.
 */
const RANGES_MAX = 8;

/** What a Range field comes to: parts; "all": send everything, as if it were not there; "none": 416, no part is there. */
export type Wanted = readonly ByteRange[] | "all" | "none";

const SPEC = /^(?:(?<first>[0-9]{1,15})-(?<last>[0-9]{1,15})?|-(?<suffix>[0-9]{1,15}))$/;

/**
 * Holds a Range to a content of `size` bytes.
 *
 * @param range  the field's value; what is not understood of it is passed over, and everything is sent.
 */
export function readRange(range: string, size: number): Wanted {
  const found = /^bytes=(.*)$/i.exec(range);
  if (found === null) return "all";
  const specs = (found[1] as string).split(",").map((spec) => spec.replaceAll(/^[ \t]+|[ \t]+$/g, ""));
  const ranges: ByteRange[] = [];
  for (const spec of specs) {
    if (spec === "") continue;
    const one = readSpec(spec, size);
    if (one === undefined) return "all";
    if (one.length > 0) ranges.push(one);
  }
  if (specs.every((spec) => spec === "")) return "all";
  if (ranges.length === 0) return "none";
  // Many parts, or more than there is in all: they overlap, and everything is cheaper.
  const total = ranges.reduce((sum, { length }) => sum + length, 0);
  return ranges.length > RANGES_MAX || total > size ? "all" : ranges;
}

/** @returns undefined: it is no range. Of length 0: it is one, and nothing of it is there. */
function readSpec(spec: string, size: number): ByteRange | undefined {
  const parts = SPEC.exec(spec)?.groups;
  if (parts === undefined) return undefined;
  const { first, last, suffix } = parts;
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size);
    return { start: size - length, length };
  }
  const start = Number(first);
  const end = last === undefined ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== undefined && Number(last) < start) return undefined;
  return { start, length: Math.max(0, end - start + 1) };
}
