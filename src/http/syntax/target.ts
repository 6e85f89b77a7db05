// What a request is for: the forms of a target and the host it names. RFC 9112 section 3.2, RFC 9110 sections 4.2 and
// 7.2. It reads nothing from bytes but Host, and resolves nothing.

import { refusal } from "./errors.ts";

/**
 * A host with an optional port: a name or IPv4 address of what RFC 3986 section 3.2.2 has, or an IPv6 address in
 * brackets. No user, which RFC 9110 section 4.2.4 calls an error.
 */
const AUTHORITY =
  /^(?:(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+|\[[0-9A-Fa-f:.]{2,45}\])(?::(?<port>[0-9]{0,5}))?$/;
const ABSOLUTE = /^(?<scheme>https?):\/\/(?<authority>[^/?]*)/i;

const PORT_MAX = 65_535;

/** Whether the text is a host with an optional port. */
export function isAuthority(text: string): boolean {
  const found = AUTHORITY.exec(text);
  return found !== null && Number(found.groups?.["port"] ?? 0) <= PORT_MAX;
}

/** What a target says by its form. */
export interface TargetForm {
  /**
   * - `origin`: a path, and perhaps a query: "/a?b"; nearly every request.
   * - `absolute`: a whole http or https URI, for proxies.
   * - `authority`: "host:port", of CONNECT.
   * - `asterisk`: "*", of OPTIONS: the server itself.
   */
  readonly form: "origin" | "absolute" | "authority" | "asterisk";
  /** The host that an absolute target or CONNECT names; undefined: Host does. */
  readonly authority: string | undefined;
}

const ORIGIN: TargetForm = { form: "origin", authority: undefined };
const ASTERISK: TargetForm = { form: "asterisk", authority: undefined };
const SLASH = 0x2f;

/**
 * Tells the form of a target whose characters were looked at before.
 *
 * @returns undefined where the method and the form do not go together, or the form is none.
 */
export function targetForm(method: string, target: string): TargetForm | undefined {
  if (method === "CONNECT") {
    const port = AUTHORITY.exec(target)?.groups?.["port"];
    if (port === undefined || port === "" || Number(port) > PORT_MAX || Number(port) === 0) return undefined;
    return { form: "authority", authority: target };
  }
  if (target.charCodeAt(0) === SLASH) return ORIGIN;
  if (target === "*") return method === "OPTIONS" ? ASTERISK : undefined;
  const authority = ABSOLUTE.exec(target)?.groups?.["authority"];
  return authority !== undefined && isAuthority(authority) ? { form: "absolute", authority } : undefined;
}

/**
 * Holds a target's own authority to Host, where both are there: they are sent alike (RFC 9112 section 3.2), but for the
 * port that the scheme implies.
 *
 * @throws {RemoteProtocolError} ERR_HTTP_HOST_MISMATCH.
 */
export function checkHost(target: string, authority: string, host: string): void {
  if (host === authority) return;
  const scheme = ABSOLUTE.exec(target)?.groups?.["scheme"]?.toLowerCase();
  let implied = "";
  if (scheme !== undefined) implied = scheme === "https" ? ":443" : ":80";
  const plain = (text: string): string => {
    const lower = text.toLowerCase();
    return implied !== "" && lower.endsWith(implied) ? lower.slice(0, -implied.length) : lower;
  };
  if (plain(host) === plain(authority)) return;
  // CONNECT always has a port; who names the host alone means the same.
  if (scheme === undefined && authority.toLowerCase().startsWith(`${host.toLowerCase()}:`)) return;
  throw refusal(
    "ERR_HTTP_HOST_MISMATCH",
    `Host is ${JSON.stringify(host)}, the target's ${JSON.stringify(authority)}`,
  );
}
