// The bytes of an address outside of any family: where its length and its family stand. sockaddr_storage is bytes
// 0..127; where the kernel writes an address, its length follows as a u32 at byte 128. Numbers in it are in the
// machine's byte order unless a family's file says otherwise.

/** Size of sockaddr_storage, in bytes. */
export const ADDRESS_BYTES = 128;

/** Size of a view: the address and its length. */
const VIEW_BYTES = ADDRESS_BYTES + 4;

/** Whether this machine's numbers are little-endian. */
export const LITTLE_ENDIAN: boolean = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The BSDs and macOS begin an address with its length in one byte and the family in another, Linux with the family in two. */
const HAS_LENGTH_BYTE: boolean = ["darwin", "freebsd", "openbsd", "netbsd", "dragonfly"].includes(
  process.platform,
);

/** Room for one address and its length, zeroed. */
export function makeAddressView(): Uint8Array {
  return new Uint8Array(VIEW_BYTES);
}

/** The family in an address's first bytes. */
export function readFamily(view: Uint8Array): number {
  return HAS_LENGTH_BYTE ? (view[1] as number) : readU16(view, 0);
}

/** Zeroes the first `length` bytes, and writes the family there, and the length where the system wants it. */
export function writeFamily(view: Uint8Array, family: number, length: number): void {
  view.fill(0, 0, length);
  if (HAS_LENGTH_BYTE) {
    view[0] = length;
    view[1] = family;
  } else writeU16(view, 0, family);
}

/** The length that the kernel wrote, never more than the view holds. */
export function readLength(view: Uint8Array): number {
  const length = readU32(view, ADDRESS_BYTES);
  return length > ADDRESS_BYTES ? ADDRESS_BYTES : length;
}

/** Sets the length, as the kernel does. */
export function writeLength(view: Uint8Array, length: number): void {
  writeU32(view, ADDRESS_BYTES, length);
}

/** A u32 in the machine's order. */
export function readU32(view: Uint8Array, at: number): number {
  return LITTLE_ENDIAN
    ? ((view[at] as number) |
        ((view[at + 1] as number) << 8) |
        ((view[at + 2] as number) << 16) |
        ((view[at + 3] as number) << 24)) >>>
        0
    : readU32BE(view, at);
}

/** A u32 in network order. */
export function readU32BE(view: Uint8Array, at: number): number {
  return (
    (((view[at] as number) << 24) |
      ((view[at + 1] as number) << 16) |
      ((view[at + 2] as number) << 8) |
      (view[at + 3] as number)) >>>
    0
  );
}

/** A u16 in the machine's order. */
export function readU16(view: Uint8Array, at: number): number {
  return LITTLE_ENDIAN ? (view[at] as number) | ((view[at + 1] as number) << 8) : readU16BE(view, at);
}

/** Writes a u16 in the machine's order. */
export function writeU16(view: Uint8Array, at: number, value: number): void {
  view[at] = LITTLE_ENDIAN ? value : value >>> 8;
  view[at + 1] = LITTLE_ENDIAN ? value >>> 8 : value;
}

/** A u16 in network order. */
export function readU16BE(view: Uint8Array, at: number): number {
  return ((view[at] as number) << 8) | (view[at + 1] as number);
}

/** Writes a u32 in the machine's order. */
export function writeU32(view: Uint8Array, at: number, value: number): void {
  if (!LITTLE_ENDIAN) return writeU32BE(view, at, value);
  view[at] = value;
  view[at + 1] = value >>> 8;
  view[at + 2] = value >>> 16;
  view[at + 3] = value >>> 24;
}

/** Writes a u32 in network order. */
export function writeU32BE(view: Uint8Array, at: number, value: number): void {
  view[at] = value >>> 24;
  view[at + 1] = value >>> 16;
  view[at + 2] = value >>> 8;
  view[at + 3] = value;
}

/** Writes a u16 in network order. */
export function writeU16BE(view: Uint8Array, at: number, value: number): void {
  view[at] = value >>> 8;
  view[at + 1] = value;
}
