// The URL of a request, as `new URL()` would write it, without making one each time: what is in its normal form already is
// only joined. It knows the URL Standard's percent-encode sets as far as to stay clear of them.

import type { HttpRequest } from "../request.ts";

/** Paths and queries of these characters alone are written as they are; what else there is the runtime normalises. */
const PLAIN = /^\/[A-Za-z0-9\-_~!$&()*+,;=:@/?%.]*$/;
/** A segment that begins with a dot, or with what may be one. */
const DOTTED = /\/(?:\.|%2e)/i;

/** Origins by scheme and authority: most requests of a server name the same one. */
const origins: Map<string, string> = new Map();
/** Clients choose these names, so neither their number nor their length is theirs to choose. */
const ORIGINS_MAX = 64;
const AUTHORITY_CHARACTERS_MAX = 256;

/** What was asked for last, and what it is. */
const last: { scheme: string; authority: string; origin: string | undefined } = {
  scheme: "",
  authority: "",
  origin: undefined,
};

/** @returns undefined: no URL can have this authority. */
function originOf(scheme: string, authority: string): string | undefined {
  if (authority !== last.authority || scheme !== last.scheme) {
    last.origin = lookUpOrigin(scheme, authority);
    last.scheme = scheme;
    last.authority = authority;
  }
  return last.origin;
}

function lookUpOrigin(scheme: string, authority: string): string | undefined {
  const text = `${scheme}://${authority}`;
  const known = origins.get(text);
  if (known !== undefined) return known;
  if (!URL.canParse(text)) return undefined;
  const { origin, username, password } = new URL(text);
  if (username !== "" || password !== "") return undefined;
  if (authority.length <= AUTHORITY_CHARACTERS_MAX) {
    if (origins.size >= ORIGINS_MAX) origins.clear();
    origins.set(text, origin);
  }
  return origin;
}

/** Where a request without any host was sent to. */
function ownAuthority({ localAddress }: HttpRequest): string {
  if (!Array.isArray(localAddress)) return "localhost";
  const [host, port] = localAddress as readonly unknown[];
  return String(host).includes(":") ? `[${String(host)}]:${String(port)}` : `${String(host)}:${String(port)}`;
}

/** @returns undefined: the target makes no URL, or one that no Request can have. */
export function urlOf(raw: HttpRequest, scheme: string): string | undefined {
  const { target } = raw;
  const authority = raw.authority === "" ? ownAuthority(raw) : raw.authority;
  if (PLAIN.test(target) && !DOTTED.test(target)) {
    const origin = originOf(scheme, authority);
    return origin === undefined ? undefined : origin + target;
  }
  let text = target;
  if (target === "*") text = `${scheme}://${authority}/*`;
  else if (target.startsWith("/")) text = `${scheme}://${authority}${target}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.username === "" && url.password === "" ? url.href : undefined;
}
