// What may be sent, and the memory that may be filled: the many kinds that programs hold, as views. It knows no socket.

import { MSG_ZEROCOPY } from "../constants/index.ts";
import { invalidArgument } from "./errors.ts";

/** What `send` takes: strings are sent as UTF-8. */
export type Data = string | ArrayBufferView | ArrayBuffer;

/** A DataView without its memory, and an ArrayBuffer that was given away, throw when they are asked or seen. */
function attached<T>(name: string, data: ArrayBufferView | ArrayBuffer, see: () => T): T {
  try {
    return see();
  } catch {
    throw invalidArgument(name, "memory that was not given away", data);
  }
}

/** The length in bytes of memory that is to be filled. */
export function lengthOf(name: string, view: ArrayBufferView): number {
  if (!ArrayBuffer.isView(view)) throw invalidArgument(name, "an ArrayBufferView", view);
  return attached(name, view, () => view.byteLength);
}

/** Whether the kernel goes on reading the memory after the call: it must be the caller's own, who learns when it is done. */
export function isLent(flags: number): boolean {
  return MSG_ZEROCOPY > 0 && (flags & MSG_ZEROCOPY) !== 0;
}

/** Whether it can be gone through, as a list of something: bytes are one of numbers, which nobody means. */
export function isList(value: unknown): value is Iterable<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !ArrayBuffer.isView(value) &&
    typeof (value as Partial<Iterable<unknown>>)[Symbol.iterator] === "function"
  );
}

/** The bytes of what is to be sent, without a copy; with MSG_ZEROCOPY in `flags` not of a string, which nobody holds. */
export function bytesOf(name: string, data: Data, flags: number = 0): Uint8Array {
  if (ArrayBuffer.isView(data)) {
    // Of memory that was given away a Uint8Array has no bytes, and says so in no other way.
    if (data instanceof Uint8Array && data.length > 0) return data;
    return attached(name, data, () => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  if (typeof data === "string") {
    if (isLent(flags)) throw invalidArgument(name, "bytes that you hold, with MSG_ZEROCOPY", data);
    return Buffer.from(data, "utf8");
  }
  if (data instanceof ArrayBuffer) return attached(name, data, () => new Uint8Array(data));
  throw invalidArgument(name, "a string, an ArrayBufferView or an ArrayBuffer", data);
}
