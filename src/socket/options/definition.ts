// What a table of options says about each: where it is (level and name), how its value is carried, and what may be done
// with it. The types that a program sees follow from these. It makes no call.

import type { Codec, Reader, Writer } from "./struct.ts";
import { number, one } from "./struct.ts";
import { i32, truth, u32 } from "./field.ts";

/** A level, or one for each family: multicast by interface index is the same option at two levels. */
export type Level = number | ((family: number) => number);

/** The place of an option. A number is -1 where this system does not know the name. */
export interface Place {
  readonly level: Level;
  readonly name: number;
}

/** The level of an option for a socket of a family; -1: it has none. */
export function levelIn({ level }: Place, family: number): number {
  return typeof level === "number" ? level : level(family);
}

/** An option that is read and set: a property. */
export interface Option<T> extends Place {
  readonly kind: "option";
  readonly codec: Codec<T>;
}

/** An option that is only read: a read-only property. */
export interface Fact<T> extends Place {
  readonly kind: "fact";
  readonly reader: Reader<T>;
}

/** An option that does something and cannot be read back: a method. */
export interface Action<T> extends Place {
  readonly kind: "action";
  readonly writer: Writer<T>;
}

/** An option that does something with nothing: a method without an argument. */
export interface Command extends Place {
  readonly kind: "command";
}

/** An option whose reading makes something new: a method that returns it. */
export interface Query<T> extends Place {
  readonly kind: "query";
  readonly reader: Reader<T>;
}

/** An option that takes a classic BPF program, which the kernel reads through a pointer: a method. */
export interface Program<T> extends Place {
  readonly kind: "program";
  readonly writer: Writer<T>;
}

/** An option that is a length alone, without a value: a method. */
export interface Length extends Place {
  readonly kind: "length";
}

export type Definition =
  | Option<unknown>
  | Fact<unknown>
  | Action<unknown>
  | Command
  | Query<unknown>
  | Program<unknown>
  | Length;

type ValueOf<D> =
  D extends Option<infer T>
    ? T
    : D extends Fact<infer T>
      ? T
      : D extends Action<infer T>
        ? (value: T) => void
        : D extends Command
          ? () => void
          : D extends Query<infer T>
            ? () => T
            : D extends Program<infer T>
              ? (value: T) => void
              : D extends Length
                ? (length: number) => void
                : never;

/** What a program sees of a table: properties by name, read-only ones for facts, methods for what acts. */
export type NamedOptions<Table> = {
  -readonly [K in keyof Table as Table[K] extends { readonly kind: "option" } ? K : never]: ValueOf<Table[K]>;
} & {
  readonly [K in keyof Table as Table[K] extends { readonly kind: "option" } ? never : K]: ValueOf<Table[K]>;
};

/** An option that is read and set. */
export function option<T>(level: Level, name: number, codec: Codec<T>): Option<T> {
  return { kind: "option", level, name, codec };
}

/** An option that is only read. */
export function fact<T>(level: Level, name: number, reader: Reader<T>): Fact<T> {
  return { kind: "fact", level, name, reader };
}

/** An option that is only set. */
export function action<T>(level: Level, name: number, writer: Writer<T>): Action<T> {
  return { kind: "action", level, name, writer };
}

/** An option that is only set, to nothing. */
export function command(level: Level, name: number): Command {
  return { kind: "command", level, name };
}

/** An option that answers with something new at each reading. */
export function query<T>(level: Level, name: number, reader: Reader<T>): Query<T> {
  return { kind: "query", level, name, reader };
}

/** An option that takes a program. */
export function program<T>(level: Level, name: number, writer: Writer<T>): Program<T> {
  return { kind: "program", level, name, writer };
}

/** An option that takes a length. */
export function length(level: Level, name: number): Length {
  return { kind: "length", level, name };
}

/** A truth value in an int. */
export const flag: Codec<boolean> = number(truth(i32));
/** An int. */
export const int: Codec<number> = number(i32);
/** A uint32_t. */
export const uint: Codec<number> = one(u32);
