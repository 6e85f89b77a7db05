// The addon's functions as anybody can call them, and the arguments that no sound program passes.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Any exports of the addon, called with anything. */
export type Anything = Record<string, (...values: unknown[]) => unknown>;

/** The binary that the package loads. */
export const ADDON: string =
  process.env["BERKELEY_ADDON"] ||
  fileURLToPath(new URL("../../../native/build/Release/berkeley.node", import.meta.url));
if (!existsSync(ADDON)) throw new Error(`no addon at ${ADDON}`);

/** Loads the addon once more into this environment, onto an exports object of the caller's. */
export function loadOnto(exports: object): void {
  (process as unknown as { dlopen: (module: { exports: object }, path: string) => void }).dlopen(
    { exports },
    ADDON,
  );
}

/** How often a hostile argument ran code while the addon looked at it. It must not. */
export const ran: { times: number } = { times: 0 };
function trap(): never {
  ran.times++;
  throw new Error("run by the addon");
}

/** An object whose every conversion to a primitive throws. */
const unruly: object = { valueOf: trap, toString: trap, [Symbol.toPrimitive]: trap };
const revoked = Proxy.revocable({}, {});
revoked.revoke();

/** Neither a number nor a view of memory. */
export const NEITHER: readonly unknown[] = [
  undefined,
  null,
  true,
  "",
  "1",
  "x".repeat(100_000),
  1n,
  2n ** 70n,
  Symbol("x"),
  {},
  [],
  [1],
  unruly,
  new Date(1),
  new Map(),
  new ArrayBuffer(256),
  new SharedArrayBuffer(256),
  new Proxy(new Uint8Array(256), { get: trap, has: trap, getPrototypeOf: trap }),
  new Proxy({}, { get: trap, ownKeys: trap }),
  revoked.proxy,
  Object.create(null),
  Object.create(Uint8Array.prototype),
  Object(1) as unknown,
  Promise.resolve(1),
  globalThis,
];

/** Numbers that fit no C int. */
export const NO_INTS: readonly number[] = [
  Number.NaN,
  Infinity,
  -Infinity,
  0.5,
  -0.5,
  1e-300,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32,
  2 ** 53,
  -(2 ** 53),
  1e300,
];

/** Numbers that are no place or length in a view of at most 256 bytes, but could be in another. */
export const OUTSIDE: readonly number[] = [
  -1,
  257,
  2 ** 31,
  2 ** 32,
  2 ** 32 + 1,
  2 ** 53 - 1,
  -(2 ** 53) + 1,
];

/** Views that have less memory than they had: of 256 bytes none is left for them. */
export const EMPTIED: Readonly<Record<string, () => ArrayBufferView>> = {
  detached() {
    const view = new Uint8Array(256);
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  },
  "a detached DataView"() {
    const view = new DataView(new ArrayBuffer(256));
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  },
  "resized to nothing"() {
    const buffer = new ArrayBuffer(256, { maxByteLength: 512 });
    const view = new Uint8Array(buffer);
    buffer.resize(0);
    return view;
  },
  "out of bounds"() {
    const buffer = new ArrayBuffer(512, { maxByteLength: 512 });
    const view = new Uint8Array(buffer, 256, 256);
    buffer.resize(300);
    return view;
  },
  "a DataView out of bounds"() {
    const buffer = new ArrayBuffer(512, { maxByteLength: 512 });
    const view = new DataView(buffer, 256, 256);
    buffer.resize(300);
    return view;
  },
  "before its offset"() {
    const buffer = new ArrayBuffer(512, { maxByteLength: 512 });
    const view = new Uint8Array(buffer, 256);
    buffer.resize(8);
    return view;
  },
  empty: () => new Uint8Array(0),
};

/** Views of 256 bytes of every kind. */
export const SOUND: Readonly<Record<string, () => ArrayBufferView>> = {
  Buffer: () => Buffer.alloc(256),
  "Buffer of the pool": () => Buffer.from("x".repeat(256)),
  Uint8Array: () => new Uint8Array(256),
  "Uint8Array at an offset": () => new Uint8Array(new ArrayBuffer(300), 7, 256),
  Float64Array: () => new Float64Array(32),
  DataView: () => new DataView(new ArrayBuffer(256)),
  shared: () => new Uint8Array(new SharedArrayBuffer(256)),
  "growable shared"() {
    const buffer = new SharedArrayBuffer(8, { maxByteLength: 512 });
    const view = new Uint8Array(buffer);
    buffer.grow(256);
    return view;
  },
  resizable() {
    const buffer = new ArrayBuffer(8, { maxByteLength: 512 });
    const view = new Uint8Array(buffer);
    buffer.resize(256);
    return view;
  },
  frozen: () => Object.preventExtensions(new Uint8Array(256)),
};
