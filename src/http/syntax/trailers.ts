// Which fields may stand behind the content: RFC 9110 section 6.5.1. It knows names, and nothing of values.

import { mistake, refusal } from "./errors.ts";
import type { HttpFields } from "./fields.ts";

/**
 * Fields that decide how a message is read, where it goes, who sent it or what its content is. Whoever passes over
 * trailers and whoever merges them would act on two messages.
 */
const FORBIDDEN: ReadonlySet<string> = new Set(
  `
    transfer-encoding content-length connection keep-alive upgrade trailer te proxy-connection host expect
    max-forwards range cache-control pragma vary content-encoding content-type content-range
    content-location content-disposition authorization proxy-authorization www-authenticate
    proxy-authenticate cookie set-cookie if-match if-none-match if-modified-since if-unmodified-since
    if-range age date expires location retry-after forwarded x-forwarded-for x-forwarded-host
    x-forwarded-proto x-real-ip
  `
    .trim()
    .split(/\s+/),
);

function forbidden(trailers: HttpFields): string | undefined {
  for (const [name] of trailers) if (FORBIDDEN.has(name)) return name;
  return undefined;
}

/** @throws {RemoteProtocolError} ERR_HTTP_TRAILER_FIELD: one of a peer's trailers may be no trailer. */
export function checkTrailers(trailers: HttpFields): void {
  const name = forbidden(trailers);
  if (name !== undefined) throw refusal("ERR_HTTP_TRAILER_FIELD", `${name} among the trailers`);
}

/** @throws {LocalProtocolError} ERR_HTTP_TRAILER_FIELD: the same of our own. */
export function checkOwnTrailers(trailers: HttpFields): void {
  const name = forbidden(trailers);
  if (name !== undefined) throw mistake("ERR_HTTP_TRAILER_FIELD", `${name} cannot be a trailer`);
}
