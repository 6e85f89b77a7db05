// The runtime's own Request, Response, Headers and fetch, as they were when this was loaded, and how a light object stands
// in for one: it answers the few questions that nearly everybody asks, and whatever else is asked goes to the runtime's own
// object, which is made then and not before. It knows no message.
//
// Why. In Node 20 to 26 `new Response("hello")` alone takes longer than node:http takes for the whole request (measured:
// 17 µs), for each body is made a stream that nobody reads.
//
// What a light object is. `instanceof` holds, for its prototype inherits from the runtime's. Everything that is on the
// runtime's prototype is on the light one too. Where the runtime keeps its state behind symbols (Node up to 22), the light
// one has them as well, so that fetch() and new Request() take it. Where it keeps it in private fields (Node 24 and later)
// nothing of ours can have them: there fetch and Request themselves must know (globals.ts).

/** What is put into its place may change; the runtime's own stays here. */
export const RuntimeRequest: typeof globalThis.Request = globalThis.Request;
export const RuntimeResponse: typeof globalThis.Response = globalThis.Response;
export const RuntimeHeaders: typeof globalThis.Headers = globalThis.Headers;
export const runtimeFetch: typeof globalThis.fetch = globalThis.fetch;

/** A class of the runtime's. */
interface RuntimeClass {
  readonly prototype: object;
}

/**
 * Makes a class stand in for one of the runtime's: it inherits from it, and asks the runtime's own object for everything that
 * it does not have itself.
 *
 * @param sample  an object of the runtime's class.
 * @param ownOf   the runtime's own object behind a light one; made if it was not yet.
 */
export function standIn<Light extends object>(
  light: { readonly prototype: Light },
  runtime: RuntimeClass,
  sample: object,
  ownOf: (self: Light) => object,
): void {
  const { prototype } = light;
  const define = (key: string | symbol, attributes: PropertyDescriptor): void =>
    void Object.defineProperty(prototype, key, { configurable: true, ...attributes });
  for (const key of Reflect.ownKeys(runtime.prototype)) {
    if (Object.hasOwn(prototype, key)) continue;
    const found = Object.getOwnPropertyDescriptor(runtime.prototype, key);
    if (found === undefined) continue;
    const { value, enumerable } = found;
    if (found.get !== undefined)
      define(key, {
        enumerable: enumerable === true,
        get(this: Light): unknown {
          return Reflect.get(ownOf(this), key);
        },
      });
    else if (typeof value === "function")
      define(key, {
        enumerable: enumerable === true,
        writable: true,
        value(this: Light, ...args: unknown[]): unknown {
          return Reflect.apply(value, ownOf(this), args);
        },
      });
  }
  for (const key of Object.getOwnPropertySymbols(sample))
    define(key, {
      get(this: Light): unknown {
        return Reflect.get(ownOf(this), key);
      },
      set(this: Light, value: unknown): void {
        Reflect.set(ownOf(this), key, value);
      },
    });
  Object.setPrototypeOf(prototype, runtime.prototype);
  Object.setPrototypeOf(light, runtime);
}

/** What the runtime says when a body is asked for twice. */
export function bodyUsed(): TypeError {
  return new TypeError("Body is unusable: Body has already been read");
}

const BYTE_ORDER_MARK = 0xfeff;

/** Text as a body's text() gives it: without a byte order mark (Encoding Standard, "UTF-8 decode"). */
export function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/** A copy with an ArrayBuffer of exactly its size, as arrayBuffer() gives it. */
export function ownMemory(bytes: Uint8Array): ArrayBuffer {
  const memory = new ArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  return memory;
}
