// The headers of a request, read where they lie: get() and has() look into the fields that the parser found, and everything
// else is asked of a Headers of the runtime's, made then. It knows fields, and no request.

import { isToken } from "../../../wire/characters.ts";
import type { HttpFields } from "../../syntax/fields.ts";
import { RuntimeHeaders, standIn } from "./runtime.ts";

const COOKIE = "cookie";

class LightHeaders {
  readonly #fields: HttpFields;
  #own: Headers | undefined = undefined;

  constructor(fields: HttpFields) {
    this.#fields = fields;
  }

  get(name: string): string | null {
    // What is no name the runtime shall say.
    if (this.#own !== undefined || typeof name !== "string" || !isToken(name))
      return LightHeaders.own(this).get(name);
    // The one field that is joined in another way (RFC 9113 section 8.2.3, Fetch Standard).
    if (name.length === COOKIE.length && name.toLowerCase() === COOKIE)
      return this.#fields.has(COOKIE) ? this.#fields.getAll(COOKIE).join("; ") : null;
    return this.#fields.get(name) ?? null;
  }

  has(name: string): boolean {
    if (this.#own !== undefined || typeof name !== "string" || !isToken(name))
      return LightHeaders.own(this).has(name);
    return this.#fields.has(name);
  }

  /** The runtime's own behind it. */
  static own(light: LightHeaders): Headers {
    return (light.#own ??= new RuntimeHeaders([...light.#fields]));
  }

  /** A Request has been made of it: its headers are these from now on. */
  static adopt(light: LightHeaders, own: Headers): void {
    light.#own = own;
  }
}

standIn(LightHeaders, RuntimeHeaders, new RuntimeHeaders(), (light) => LightHeaders.own(light));

/** Headers over fields that were received. */
export function lightHeaders(fields: HttpFields): Headers {
  return new LightHeaders(fields) as unknown as Headers;
}

/** Lets light headers be those of a Request of the runtime's that was made of them. */
export function adoptHeaders(light: Headers, own: Headers): void {
  LightHeaders.adopt(light as unknown as LightHeaders, own);
}
