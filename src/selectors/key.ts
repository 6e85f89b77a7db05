// What a selector keeps about a descriptor, and how a file object becomes a descriptor's number. It knows no selector.

import { invalidArgument, outOfRange } from "../socket/errors.ts";

/** Ready for reading: a read would not wait (also: the peer has ended, or an error is there to be read). */
export const EVENT_READ = 1;
/** Ready for writing: a write would not wait. */
export const EVENT_WRITE = 2;

/** A descriptor's number, or an object that has one: a Socket of either face, a selector, anything with `fileno()`. */
export type FileObject = number | { fileno(): number };

/** A registration. It is not changed: `modify` makes another. */
export interface SelectorKey<Data = unknown, File extends FileObject = FileObject> {
  /** What was registered. */
  readonly fileobj: File;
  /** Its descriptor's number at that time. */
  readonly fd: number;
  /** EVENT_READ, EVENT_WRITE or both. */
  readonly events: number;
  /** Whatever the program wants to find again; `null` by default. */
  readonly data: Data;
}

/** A registration that is ready, and for which of its events. */
export type Ready<Data = unknown, File extends FileObject = FileObject> = [
  key: SelectorKey<Data, File>,
  events: number,
];

/** The last parameter of `register` and `modify`: it may be left out where `null` is such data. */
export type DataArgument<Data> = null extends Data ? [data?: Data] : [data: Data];

/**
 * The number of a file object's descriptor.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: neither a number nor an object with fileno().
 * @throws {RangeError} ERR_OUT_OF_RANGE: no whole number, or negative, as that of a closed socket.
 */
export function descriptorOf(file: FileObject): number {
  const found: unknown = typeof file === "number" ? file : fileno(file);
  if (typeof found !== "number") throw invalidArgument("fileobj", "a descriptor or have fileno()", file);
  if (!Number.isInteger(found) || found < 0 || found >= 2 ** 31)
    throw outOfRange("fileobj", "the descriptor of an open file, 0 or more", found);
  return found;
}

function fileno(file: unknown): unknown {
  if (typeof file !== "object" || file === null) return undefined;
  const { fileno: method } = file as { fileno?: unknown };
  return typeof method === "function" ? (method as () => unknown).call(file) : undefined;
}

/**
 * EVENT_READ, EVENT_WRITE or both.
 *
 * @throws {RangeError} ERR_OUT_OF_RANGE: anything else.
 */
export function checkEvents(events: number): number {
  if (typeof events !== "number") throw invalidArgument("events", "a number", events);
  if (events !== EVENT_READ && events !== EVENT_WRITE && events !== (EVENT_READ | EVENT_WRITE))
    throw outOfRange("events", "EVENT_READ, EVENT_WRITE or both", events);
  return events;
}
