// C structures as objects, and codecs: what turns an option's bytes into a value and back. The places of the members
// follow from their sizes and alignments, as a C compiler lays them out. It knows no option.

import { LITTLE_ENDIAN } from "../address/view.ts";
import { invalidArgument, outOfRange } from "../errors.ts";
import type { Field } from "./field.ts";
import { fits, viewOf } from "./field.ts";

/** From an option's bytes to its value. */
export interface Reader<T> {
  /** Room for the answer, in bytes. */
  readonly room: number;
  /** @param bytes  what the kernel wrote: at most `room`. */
  decode(bytes: Uint8Array): T;
}

/** From an option's value to its bytes. */
export interface Writer<T> {
  /** @param what  the option's name, for refusals. */
  encode(value: T, what: string): Uint8Array;
}

/** Both ways. */
export interface Codec<T> extends Reader<T>, Writer<T> {}

/** The members of T in their order in C, each with its type. */
export type Members<T> = { readonly [K in keyof T]-?: Field<Exclude<T[K], undefined>> };

const aligned = (at: number, to: number): number => Math.ceil(at / to) * to;

/**
 * A structure. What the kernel did not write (an older kernel, a shorter structure) is absent from the object; what is
 * declared optional may be left out when it is set, and is zero.
 */
export function struct<T extends object>(members: Members<T>): Field<T> {
  const places: [name: string, at: number, field: Field<unknown>][] = [];
  let end = 0;
  let align = 1;
  for (const [name, field] of Object.entries(members) as [string, Field<unknown>][]) {
    const at = aligned(end, field.align);
    places.push([name, at, field]);
    end = at + field.bytes;
    align = Math.max(align, field.align);
  }
  return {
    bytes: aligned(end, align),
    align,
    read(view, at) {
      const value: Record<string, unknown> = {};
      for (const [name, offset, field] of places)
        if (fits(view, at + offset, field.bytes)) value[name] = field.read(view, at + offset);
      return value as T;
    },
    write(view, at, value, what) {
      if (typeof value !== "object" || value === null) throw invalidArgument(what, "an object", value);
      for (const [name, offset, field] of places) {
        const member = (value as Readonly<Record<string, unknown>>)[name];
        if (member === undefined && field.optional === true) continue;
        field.write(view, at + offset, member, `${what}.${name}`);
      }
    },
  };
}

/** One value, of as many bytes as its type has. */
export function one<T>(field: Field<T>): Codec<T> {
  return {
    room: field.bytes,
    decode: (bytes) => field.read(viewOf(bytes), 0),
    encode(value, what) {
      const bytes = new Uint8Array(field.bytes);
      field.write(viewOf(bytes), 0, value, what);
      return bytes;
    },
  };
}

/** A number for which the kernel may write fewer bytes than asked: ip(7) gives one byte where it was given one. */
export function number<T>(field: Field<T>): Codec<T> {
  const whole = one(field);
  return {
    ...whole,
    decode(bytes) {
      if (bytes.length >= field.bytes) return whole.decode(bytes);
      const padded = new Uint8Array(field.bytes);
      padded.set(bytes, LITTLE_ENDIAN ? 0 : field.bytes - bytes.length);
      return whole.decode(padded);
    },
  };
}

/** As many values as there are, at most `max`. */
export function many<T>(field: Field<T>, max: number): Codec<readonly T[]> {
  const { bytes: size } = field;
  return {
    room: size * max,
    decode(bytes) {
      const view = viewOf(bytes);
      const values: T[] = [];
      for (let at = 0; fits(view, at, size); at += size) values.push(field.read(view, at));
      return values;
    },
    encode(values, what) {
      if (!Array.isArray(values)) throw invalidArgument(what, "an array", values);
      if (values.length > max) throw outOfRange(what, `at most ${max} long`, values.length);
      const bytes = new Uint8Array(values.length * size);
      const view = viewOf(bytes);
      for (const [index, value] of values.entries())
        field.write(view, index * size, value as T, `${what}[${index}]`);
      return bytes;
    },
  };
}

/** The bytes themselves, at most `max`. */
export function raw(max: number): Codec<Uint8Array> {
  return {
    room: max,
    decode: (bytes) => Buffer.from(bytes),
    encode(value, what) {
      if (!(value instanceof Uint8Array)) throw invalidArgument(what, "a Uint8Array", value);
      if (value.length > max) throw outOfRange(what, `at most ${max} bytes long`, value.length);
      return value;
    },
  };
}
