// Names that are met again and again: of fields and of methods. A name that is known costs no string, and the fields
// that decide how a message is framed are told apart by a number. It knows what names look like, not what they mean.

import { TOKEN_LOWER } from "../../wire/characters.ts";

// The parser looks at these; all others pass it by. Their order is their number.
export const HOST = 0;
export const CONTENT_LENGTH = 1;
export const TRANSFER_ENCODING = 2;
export const CONNECTION = 3;
export const UPGRADE = 4;
export const EXPECT = 5;
/** Ids below this decide how a message is read. */
export const CONTROL_COUNT = 6;
/** Looked at when it is written. */
export const DATE = 6;
/** What idOf() and idOfName() give for a name that is not in the table. */
export const UNKNOWN = -1;

const NAMES: readonly string[] = `
  host content-length transfer-encoding connection upgrade expect date accept accept-charset accept-encoding
  accept-language accept-ranges access-control-allow-origin access-control-request-headers
  access-control-request-method age allow alt-svc authorization cache-control content-disposition
  content-encoding content-language content-location content-range content-security-policy content-type
  cookie dnt etag expires forwarded from if-match if-modified-since if-none-match if-range
  if-unmodified-since keep-alive last-modified link location max-forwards origin pragma priority
  proxy-authenticate proxy-authorization proxy-connection range referer referrer-policy retry-after
  sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest sec-fetch-mode sec-fetch-site sec-fetch-user
  sec-gpc sec-websocket-accept sec-websocket-extensions sec-websocket-key sec-websocket-protocol
  sec-websocket-version server set-cookie strict-transport-security te trailer traceparent tracestate
  upgrade-insecure-requests user-agent vary via www-authenticate x-content-type-options x-forwarded-for
  x-forwarded-host x-forwarded-proto x-frame-options x-real-ip x-request-id x-requested-with
`
  .trim()
  .split(/\s+/);

/** Eight times as many as names: a miss finds a free slot at once. */
const SLOT_MASK = 1023;
const slots: Int16Array = new Int16Array(SLOT_MASK + 1).fill(UNKNOWN);
/** By the name in lower case, and as it is mostly written: "Content-Type". */
const ids: Map<string, number> = new Map();
/** All names, one behind the other, and where each of them begins. */
const letters: Uint8Array = new Uint8Array(Buffer.from(NAMES.join("")));
const starts: Uint16Array = new Uint16Array(NAMES.length + 1);

// Length and three letters tell the names of the table apart well enough, and need no second look at every byte.
function slotOf(length: number, first: number, middle: number, last: number): number {
  return (length * 503 + first * 117 + middle * 35 + last * 61) & SLOT_MASK;
}

for (const [id, name] of NAMES.entries()) {
  const { length } = name;
  ids.set(name, id).set(
    name.replaceAll(/(?:^|-)[a-z]/g, (start) => start.toUpperCase()),
    id,
  );
  starts[id + 1] = (starts[id] as number) + length;
  let slot = slotOf(length, name.charCodeAt(0), name.charCodeAt(length >> 1), name.charCodeAt(length - 1));
  while (slots[slot] !== UNKNOWN) slot = (slot + 1) & SLOT_MASK;
  slots[slot] = id;
}

/** The number of the token from `start` to before `end`, in any case; UNKNOWN: not in the table. */
export function idOf(bytes: Uint8Array, start: number, end: number): number {
  const length = end - start;
  const first = TOKEN_LOWER[bytes[start] as number] as number;
  const middle = TOKEN_LOWER[bytes[start + (length >> 1)] as number] as number;
  const last = TOKEN_LOWER[bytes[end - 1] as number] as number;
  // A peer can make a name that meets the slot of another: the bytes decide.
  for (let slot = slotOf(length, first, middle, last); ; slot = (slot + 1) & SLOT_MASK) {
    const id = slots[slot] as number;
    if (id === UNKNOWN) return UNKNOWN;
    const from = starts[id] as number;
    if ((starts[id + 1] as number) - from !== length) continue;
    let at = 0;
    while (at < length && TOKEN_LOWER[bytes[start + at] as number] === letters[from + at]) at++;
    if (at === length) return id;
  }
}

/** Whether the bytes from `start` to before `end` are `name`, which is in lower case, in any case. */
export function isName(bytes: Uint8Array, start: number, end: number, name: string): boolean {
  if (end - start !== name.length) return false;
  for (let at = 0; at < name.length; at++)
    if (TOKEN_LOWER[bytes[start + at] as number] !== name.charCodeAt(at)) return false;
  return true;
}

/** The number of a name, in any case; UNKNOWN: not in the table. */
export function idOfName(name: string): number {
  return ids.get(name) ?? ids.get(name.toLowerCase()) ?? UNKNOWN;
}

/** The name of a number, in lower case. */
export function nameOf(id: number): string {
  return NAMES[id] as string;
}

const METHODS: readonly string[] = `
  GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY PROPFIND PROPPATCH MKCOL COPY MOVE LOCK UNLOCK
  REPORT SEARCH
`
  .trim()
  .split(/\s+/);

/** The method in the bytes from `start` to before `end`, as it is written there: methods are case-sensitive. */
export function methodOf(bytes: Buffer, start: number, end: number): string {
  const first = bytes[start];
  for (const method of METHODS)
    if (method.charCodeAt(0) === first && isText(bytes, start, end, method)) return method;
  return bytes.toString("latin1", start, end);
}

/** Whether the bytes from `start` to before `end` are exactly this text. */
export function isText(bytes: Uint8Array, start: number, end: number, text: string): boolean {
  if (end - start !== text.length) return false;
  for (let at = 0; at < text.length; at++) if (bytes[start + at] !== text.charCodeAt(at)) return false;
  return true;
}
