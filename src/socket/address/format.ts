// Addresses in messages for people. Knows the shapes of addresses and no bytes.

import type { AnyAddress } from "./types.ts";

/** Longest text of an address in a message; a path may be anything. */
const CHARACTERS_MAX = 128;

/** Bytes as a person can read them: printable ASCII as it is, the rest as \xNN. */
function readable(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes)
    text += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`;
  return text;
}

function field(value: unknown): string {
  if (value instanceof Uint8Array)
    return Buffer.from(value)
      .toString("hex")
      .replaceAll(/(?<=.)(?=(?:..)+$)/g, ":");
  return String(value);
}

function isInternet(address: readonly unknown[]): address is readonly [string, number, number?, number?] {
  return (
    (address.length === 2 || address.length === 4) &&
    typeof address[0] === "string" &&
    typeof address[1] === "number" &&
    typeof (address[3] ?? 0) === "number"
  );
}

function whole(address: AnyAddress): string {
  if (typeof address === "string") return address === "" ? "unnamed" : readable(Buffer.from(address));
  if (address instanceof Uint8Array)
    return address[0] === 0 ? `@${readable(address.subarray(1))}` : readable(address);
  // A program may hand over anything: what is no address at all is shown, not asked.
  const fields: readonly unknown[] = Array.isArray(address) ? address : [address];
  if (!isInternet(fields)) return `(${fields.map(field).join(", ")})`;
  const [host, port, , scope = 0] = fields;
  return host.includes(":") ? `[${host}${scope === 0 ? "" : `%${scope}`}]:${port}` : `${host}:${port}`;
}

/**
 * An address as a person writes it: `127.0.0.1:80`, `[::1]:80`, `[fe80::1%2]:80`, `/run/socket`, `@abstract`; other
 * families' fields in parentheses.
 *
 * @param address  as decodeAddress gives it.
 */
export function formatAddress(address: AnyAddress): string {
  const text = whole(address);
  return text.length > CHARACTERS_MAX ? `${text.slice(0, CHARACTERS_MAX)}…` : text;
}
