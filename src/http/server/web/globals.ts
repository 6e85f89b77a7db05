// The light Response in place of the runtime's, for programs that say `new Response()` and know nothing of this package: Hono
// and others. It changes what global names mean, and nothing else.

import { ownRequest, RUNTIME_TAKES_LIGHT } from "./light-request.ts";
import { Response as LightResponse } from "./light-response.ts";
import { RuntimeRequest, runtimeFetch } from "./runtime.ts";

type Input = Parameters<typeof globalThis.fetch>[0];
type Init = globalThis.RequestInit;

/** The runtime's Request, which takes a light one too. */
class TakingRequest extends RuntimeRequest {
  constructor(input: Input, init?: Init) {
    super(ownRequest(input), ownRequest(init));
  }

  /** It is the same class to who asks. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    if (this === TakingRequest) return value instanceof RuntimeRequest;
    return Function.prototype[Symbol.hasInstance].call(this, value);
  }
}
Object.defineProperty(TakingRequest, "name", { value: "Request" });

function takingFetch(input: Input, init?: Init): Promise<Response> {
  return runtimeFetch(ownRequest(input), init);
}

let replaced = false;

/** Puts the light Response where everybody finds it; once for all. */
export function replaceGlobals(): void {
  if (replaced) return;
  replaced = true;
  const put = (name: string, value: unknown): void =>
    void Object.defineProperty(globalThis, name, {
      value,
      writable: true,
      enumerable: false,
      configurable: true,
    });
  put("Response", LightResponse);
  if (RUNTIME_TAKES_LIGHT) return;
  put("Request", TakingRequest);
  put("fetch", takingFetch);
}

/** Whether light Requests may be given to programs: all that they do with a Request works with one. */
export function mayBeLight(): boolean {
  return RUNTIME_TAKES_LIGHT || replaced;
}
