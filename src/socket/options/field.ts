// What the values of options are made of: numbers, truth values, texts and bytes at a place in memory, in C's sizes and
// alignments. It knows no option and makes no call.

import { checkNumber } from "../address/check.ts";
import { LITTLE_ENDIAN } from "../address/view.ts";
import { invalidArgument, outOfRange } from "../errors.ts";

/** One member of a C structure, or a value on its own. */
export interface Field<T> {
  /** sizeof. */
  readonly bytes: number;
  /** alignof. */
  readonly align: number;
  /** A structure may leave it out: it then is zero bytes. */
  readonly optional?: boolean;
  /** The value at `at`; all of its bytes are there (a structure may be cut short). */
  read(view: DataView, at: number): T;
  /** Writes the value at `at`; `what` names it where it is refused. */
  write(view: DataView, at: number, value: T, what: string): void;
}

/** Of two views, whether the value's bytes lie within. */
export function fits(view: DataView, at: number, bytes: number): boolean {
  return at + bytes <= view.byteLength;
}

/** A view of exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function whole(
  bytes: 1 | 2 | 4,
  min: number,
  max: number,
  read: (view: DataView, at: number) => number,
  put: (view: DataView, at: number, value: number) => void,
): Field<number> {
  return {
    bytes,
    align: bytes,
    read,
    write: (view, at, value, what) => put(view, at, checkNumber(what, value, min, max)),
  };
}

/** unsigned char, 0..255. */
export const u8: Field<number> = whole(
  1,
  0,
  0xff,
  (view, at) => view.getUint8(at),
  (view, at, value) => view.setUint8(at, value),
);

/** uint16_t in the machine's order. */
export const u16: Field<number> = whole(
  2,
  0,
  0xffff,
  (view, at) => view.getUint16(at, LITTLE_ENDIAN),
  (view, at, value) => view.setUint16(at, value, LITTLE_ENDIAN),
);

/** int. */
export const i32: Field<number> = whole(
  4,
  -(2 ** 31),
  2 ** 31 - 1,
  (view, at) => view.getInt32(at, LITTLE_ENDIAN),
  (view, at, value) => view.setInt32(at, value, LITTLE_ENDIAN),
);

/** uint32_t in the machine's order. */
export const u32: Field<number> = whole(
  4,
  0,
  2 ** 32 - 1,
  (view, at) => view.getUint32(at, LITTLE_ENDIAN),
  (view, at, value) => view.setUint32(at, value, LITTLE_ENDIAN),
);

/** uint32_t in network order. */
export const u32be: Field<number> = whole(
  4,
  0,
  2 ** 32 - 1,
  (view, at) => view.getUint32(at),
  (view, at, value) => view.setUint32(at, value),
);

const U64_MAX = 2n ** 64n - 1n;

/** uint64_t as a number: exact up to 2^53, and its largest value is Infinity, as the kernel means it ("no limit"). */
export const u64: Field<number> = {
  bytes: 8,
  align: 8,
  read(view, at) {
    const value = view.getBigUint64(at, LITTLE_ENDIAN);
    return value === U64_MAX ? Infinity : Number(value);
  },
  write(view, at, value, what) {
    const wanted =
      value === Infinity ? U64_MAX : BigInt(checkNumber(what, value, 0, Number.MAX_SAFE_INTEGER));
    view.setBigUint64(at, wanted, LITTLE_ENDIAN);
  },
};

/** uint64_t, exact: for what is an identity and not a count. */
export const identity: Field<bigint> = {
  bytes: 8,
  align: 8,
  read: (view, at) => view.getBigUint64(at, LITTLE_ENDIAN),
  write(view, at, value, what) {
    if (typeof value !== "bigint") throw invalidArgument(what, "a bigint", value);
    if (value < 0n || value > U64_MAX) throw outOfRange(what, "from 0n to 2n ** 64n - 1n", value);
    view.setBigUint64(at, value, LITTLE_ENDIAN);
  },
};

/** A truth value, carried in a number. */
export function truth(carrier: Field<number>): Field<boolean> {
  return {
    bytes: carrier.bytes,
    align: carrier.align,
    read: (view, at) => carrier.read(view, at) !== 0,
    write(view, at, value, what) {
      if (typeof value !== "boolean") throw invalidArgument(what, "a boolean", value);
      carrier.write(view, at, value ? 1 : 0, what);
    },
  };
}

/** char[bytes] with a text that ends at its first NUL, if there is one. */
export function text(bytes: number): Field<string> {
  return {
    bytes,
    align: 1,
    read(view, at) {
      const all = Buffer.from(view.buffer, view.byteOffset + at, Math.min(bytes, view.byteLength - at));
      const end = all.indexOf(0);
      return all.toString("utf8", 0, end === -1 ? all.length : end);
    },
    write(view, at, value, what) {
      if (typeof value !== "string") throw invalidArgument(what, "a string", value);
      const encoded = Buffer.from(value, "utf8");
      if (encoded.length >= bytes || encoded.includes(0))
        throw outOfRange(what, `a text of at most ${bytes - 1} bytes without a NUL`, value);
      new Uint8Array(view.buffer, view.byteOffset + at).set(encoded);
    },
  };
}

/** unsigned char[bytes]; fewer are filled up with zeros. */
export function octets(bytes: number): Field<Uint8Array> {
  return {
    bytes,
    align: 1,
    read: (view, at) => Buffer.from(new Uint8Array(view.buffer, view.byteOffset + at, bytes)),
    write(view, at, value, what) {
      if (!(value instanceof Uint8Array)) throw invalidArgument(what, "a Uint8Array", value);
      if (value.length > bytes) throw outOfRange(what, `at most ${bytes} bytes long`, value.length);
      new Uint8Array(view.buffer, view.byteOffset + at).set(value);
    },
  };
}

/** The same, where a structure may leave it out. */
export function optional<T>(field: Field<T>): Field<T> {
  return { ...field, optional: true };
}

/** sizeof(long): machines of 32 bits are named, the others have 64. */
const LONG_BYTES = ["arm", "ia32", "mips", "mipsel"].includes(process.arch) ? 4 : 8;

const i64: Field<number> = {
  bytes: 8,
  align: 8,
  read: (view, at) => Number(view.getBigInt64(at, LITTLE_ENDIAN)),
  write: (view, at, value, what) =>
    view.setBigInt64(
      at,
      BigInt(checkNumber(what, value, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)),
      LITTLE_ENDIAN,
    ),
};

/** long. */
export const long: Field<number> = LONG_BYTES === 8 ? i64 : i32;
/** unsigned long; its largest value is Infinity. */
export const ulong: Field<number> = LONG_BYTES === 8 ? u64 : u32;
