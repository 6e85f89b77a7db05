// Where UTF-8 and UTF-16 bytes are no characters: the maximal subparts of Unicode 15, section 3.9 (U+FFFD substitution
// of maximal subparts), which are also what CPython and the Encoding Standard replace one by one. Bytes in, positions
// out; what becomes of them, decoders.ts says.

/** Bytes `start` to `end` are no character. */
export interface Fault {
  readonly start: number;
  readonly end: number;
  readonly reason: string;
}

/** How many bytes a UTF-8 sequence has that begins with this byte; 0: none begins with it. Table 3-7. */
function sequenceLength(lead: number): number {
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return 2;
  if (lead < 0xf0) return 3;
  return lead < 0xf5 ? 4 : 0;
}

/** Whether `byte` may be the second of a sequence. Table 3-7: no overlong forms, no surrogates, nothing past U+10FFFF. */
function maySecond(lead: number, byte: number): boolean {
  if (lead === 0xe0) return byte >= 0xa0 && byte < 0xc0;
  if (lead === 0xed) return byte >= 0x80 && byte < 0xa0;
  if (lead === 0xf0) return byte >= 0x90 && byte < 0xc0;
  if (lead === 0xf4) return byte >= 0x80 && byte < 0x90;
  return byte >= 0x80 && byte < 0xc0;
}

/** How many bytes of the sequence at `at` are there and right, at most its length. */
function soundBytes(bytes: Uint8Array, at: number, length: number): number {
  const lead = bytes[at] as number;
  let count = 1;
  while (count < length && at + count < bytes.length) {
    const byte = bytes[at + count] as number;
    if (count === 1 ? !maySecond(lead, byte) : byte < 0x80 || byte >= 0xc0) break;
    count++;
  }
  return count;
}

/** How many of the bytes end with a whole sequence, or with one that more bytes would not make whole. */
export function utf8Complete(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const at = bytes.length - back;
    const length = sequenceLength(bytes[at] as number);
    if (length === 1) break;
    if (length > 1) return length > back && soundBytes(bytes, at, length) === back ? at : bytes.length;
  }
  return bytes.length;
}

/** The first bytes that are no UTF-8; undefined: all are. `last`: no others come behind them. */
export function utf8Fault(bytes: Uint8Array, last: boolean): Fault | undefined {
  for (let at = 0; at < bytes.length; ) {
    const length = sequenceLength(bytes[at] as number);
    if (length === 0) return { start: at, end: at + 1, reason: "invalid start byte" };
    const sound = soundBytes(bytes, at, length);
    if (sound < length) {
      const ends = last && at + sound === bytes.length;
      const reason = ends ? "unexpected end of data" : "invalid continuation byte";
      return { start: at, end: at + sound, reason };
    }
    at += length;
  }
  return undefined;
}

/** The first bytes that are no UTF-16; undefined: all are. `last`: no others come behind them. */
export function utf16Fault(bytes: Uint8Array, bigEndian: boolean, last: boolean): Fault | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const even = bytes.length & ~1;
  for (let at = 0; at < even; at += 2) {
    const unit = view.getUint16(at, !bigEndian);
    if (unit < 0xd800 || unit > 0xdfff) continue;
    if (unit >= 0xdc00) return { start: at, end: at + 2, reason: "illegal encoding" };
    if (at + 2 >= even && last) return { start: at, end: bytes.length, reason: "unexpected end of data" };
    const next = at + 2 < even ? view.getUint16(at + 2, !bigEndian) : 0;
    if (next < 0xdc00 || next > 0xdfff) return { start: at, end: at + 2, reason: "illegal UTF-16 surrogate" };
    at += 2;
  }
  return even === bytes.length ? undefined : { start: even, end: bytes.length, reason: "truncated data" };
}
