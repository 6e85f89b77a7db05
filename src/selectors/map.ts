// What get_map() gives: the registrations of a selector, as they are at the time of asking. Reads only.

import type { FileObject, SelectorKey } from "./key.ts";

type Key<Data, File extends FileObject> = SelectorKey<Data, File>;

/** A selector's registrations, always current; empty once it is closed. As a map from file objects to keys. */
export class SelectorMap<Data = unknown, File extends FileObject = FileObject>
  implements Iterable<[File, SelectorKey<Data, File>]>
{
  readonly #keys: ReadonlyMap<number, Key<Data, File>>;
  readonly #find: (file: File) => Key<Data, File> | undefined;

  /** @internal */
  constructor(keys: ReadonlyMap<number, Key<Data, File>>, find: (file: File) => Key<Data, File> | undefined) {
    this.#keys = keys;
    this.#find = find;
  }

  /** How many are registered. */
  get size(): number {
    return this.#keys.size;
  }

  /** The registration of a file object or a descriptor's number; undefined where there is none. */
  get(file: File): SelectorKey<Data, File> | undefined {
    return this.#find(file);
  }

  /** Whether it is registered. */
  has(file: File): boolean {
    return this.#find(file) !== undefined;
  }

  /** What is registered, in the order of registration. */
  *keys(): Generator<File, void, void> {
    for (const key of this.#keys.values()) yield key.fileobj;
  }

  /** The registrations, in their order. */
  *values(): Generator<SelectorKey<Data, File>, void, void> {
    yield* this.#keys.values();
  }

  /** Both, in their order. */
  *entries(): Generator<[File, SelectorKey<Data, File>], void, void> {
    for (const key of this.#keys.values()) yield [key.fileobj, key];
  }

  /** Both, in their order. */
  [Symbol.iterator](): Generator<[File, SelectorKey<Data, File>], void, void> {
    return this.entries();
  }
}
