// Masking: each byte of a client's payload is combined with one of four of a key by XOR (RFC 6455 section 5.3), and the
// same again gives it back. In place: it knows neither frames nor who masks.
//
// Why two ways. By words of 32 bits it takes a quarter of the time, but the view of the memory as words costs as much as
// a hundred bytes, and a small Buffer whose memory V8 keeps in its heap would be moved out of it by being asked.

/** What Buffer makes its own kind with: memory of its own for each, which Buffer.alloc() makes more slowly. */
const OwnBuffer: new (length: number) => Buffer = Reflect.get(Buffer, Symbol.species) as never;
/** Up to this size a typed array's bytes lie in V8's heap. */
const HEAP_BYTES_MAX = 64;

/** From this size on, by words. */
const WORDS_BYTES_MIN = 192;

const keyBytes: Uint8Array = new Uint8Array(4);
/** The same memory as a word, in the machine's own order of bytes. */
const keyWord: Int32Array = new Int32Array(keyBytes.buffer);

/**
 * Masks or unmasks bytes, in place.
 *
 * @param key    the four bytes of the key, the first one highest.
 * @param phase  which of them (0 to 3) the byte at `start` meets.
 * @returns all the resulting bytes, combined by OR: below 0x80 they are ASCII.
 */
export function mask(bytes: Uint8Array, start: number, end: number, key: number, phase: number): number {
  const turn = phase << 3;
  // The key, turned so that its first byte is for `start`.
  const turned = turn === 0 ? key : (key << turn) | (key >>> (32 - turn));
  return end - start >= WORDS_BYTES_MIN
    ? maskWords(bytes, start, end, turned)
    : maskBytes(bytes, start, end, turned);
}

/** A copy of bytes from `start` to before `end`, masked or unmasked from the first byte of the key on. */
export function maskedCopy(bytes: Buffer, start: number, end: number, key: number): Buffer {
  const length = end - start;
  if (length >= WORDS_BYTES_MIN) {
    const copy = Buffer.from(bytes.subarray(start, end));
    if (key !== 0) mask(copy, 0, length, key, 0);
    return copy;
  }
  const copy = length <= HEAP_BYTES_MAX ? new OwnBuffer(length) : Buffer.allocUnsafe(length);
  const first = key >>> 24;
  const second = (key >>> 16) & 0xff;
  const third = (key >>> 8) & 0xff;
  const fourth = key & 0xff;
  let at = 0;
  for (const last = length - 3; at < last; at += 4) {
    const from = start + at;
    copy[at] = (bytes[from] as number) ^ first;
    copy[at + 1] = (bytes[from + 1] as number) ^ second;
    copy[at + 2] = (bytes[from + 2] as number) ^ third;
    copy[at + 3] = (bytes[from + 3] as number) ^ fourth;
  }
  for (let shift = 24; at < length; at++, shift -= 8)
    copy[at] = (bytes[start + at] as number) ^ ((key >>> shift) & 0xff);
  return copy;
}

function maskBytes(bytes: Uint8Array, start: number, end: number, key: number): number {
  const first = key >>> 24;
  const second = (key >>> 16) & 0xff;
  const third = (key >>> 8) & 0xff;
  const fourth = key & 0xff;
  let all = 0;
  let at = start;
  for (const last = end - 3; at < last; at += 4) {
    const a = (bytes[at] as number) ^ first;
    const b = (bytes[at + 1] as number) ^ second;
    const c = (bytes[at + 2] as number) ^ third;
    const d = (bytes[at + 3] as number) ^ fourth;
    bytes[at] = a;
    bytes[at + 1] = b;
    bytes[at + 2] = c;
    bytes[at + 3] = d;
    all |= a | b | c | d;
  }
  for (let shift = 24; at < end; at++, shift -= 8) {
    const byte = (bytes[at] as number) ^ ((key >>> shift) & 0xff);
    bytes[at] = byte;
    all |= byte;
  }
  return all;
}

function maskWords(bytes: Uint8Array, start: number, end: number, key: number): number {
  // Words lie at multiples of four of the memory; what is before the first and behind the last goes byte by byte.
  const lead = -(bytes.byteOffset + start) & 3;
  const words = (end - start - lead) >> 2;
  const from = start + lead;
  const to = from + 4 * words;
  let all = maskBytes(bytes, start, from, key);
  const turn = lead << 3;
  const turned = turn === 0 ? key : (key << turn) | (key >>> (32 - turn));
  keyBytes[0] = turned >>> 24;
  keyBytes[1] = turned >>> 16;
  keyBytes[2] = turned >>> 8;
  keyBytes[3] = turned;
  const word = keyWord[0] as number;
  const view = new Int32Array(bytes.buffer, bytes.byteOffset + from, words);
  let together = 0;
  for (let at = 0; at < words; at++) {
    const made = (view[at] as number) ^ word;
    view[at] = made;
    together |= made;
  }
  all |= together | (together >>> 8) | (together >>> 16) | (together >>> 24);
  return (all | maskBytes(bytes, to, end, turned)) & 0xff;
}
