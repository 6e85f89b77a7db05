// Control messages as an object of names and typed values, and back: decode_ancillary, encode_ancillary. What each means
// is told in table.ts, how its bytes lie in structs.ts; no call is made here. What has no name here, and everything
// else, is still there for the program in recvmsg's `[level, type, data]`.

import { ENOPROTOOPT } from "../../constants/index.ts";
import { visitAncillary } from "../ancillary.ts";
import type { Ancillary } from "../ancillary.ts";
import { isList } from "../bytes.ts";
import { SocketError, invalidArgument } from "../errors.ts";
import { AncillaryTable } from "./table.ts";
import type { Received, Sent } from "./table.ts";

/** Control messages that came, by name: `{ IP_TTL: 64, IP_PKTINFO: { ifindex: 1, … } }`. What did not come is absent. */
export type AncillaryFields = {
  -readonly [K in keyof AncillaryTable as AncillaryTable[K] extends Received<unknown>
    ? K
    : never]?: AncillaryTable[K] extends Received<infer T> ? T : never;
};

/** Control messages to send, by name: `{ IP_TOS: 0xb8, UDP_SEGMENT: 1200 }`. */
export type AncillaryToSend = {
  readonly [K in keyof AncillaryTable as AncillaryTable[K] extends Sent<never> ? K : never]?:
    | (AncillaryTable[K] extends Sent<infer T> ? T : never)
    | undefined;
};

type Entry = readonly [name: keyof AncillaryFields, place: Received<unknown>];

const table = Object.entries(new AncillaryTable()) as unknown as readonly [
  name: string,
  place: Received<unknown> | Sent<unknown>,
][];

/** Exact for every level and type of C ints that a system has: levels are below 2^21. */
const keyOf = (level: number, type: number): number => level * 2 ** 32 + type;

const byPlace: ReadonlyMap<number, Entry> = new Map(
  table
    .filter(([, place]) => place.level >= 0 && place.type >= 0 && "reader" in place)
    .map(([name, place]) => [keyOf(place.level, place.type), [name, place] as unknown as Entry]),
);
const byName: ReadonlyMap<string, Received<unknown> | Sent<unknown>> = new Map(table);

/** Puts one control message where it belongs. `data` may be a view of memory that is used again: it is copied out. */
function put(fields: AncillaryFields, level: number, type: number, data: Uint8Array): void {
  const entry = byPlace.get(keyOf(level, type));
  if (entry === undefined) return;
  const [name, { reader, bytesMin }] = entry;
  if (data.length < bytesMin) return;
  const value = reader.decode(data);
  // Two lists of descriptors in one message: none may be lost.
  if (name === "SCM_RIGHTS" && fields.SCM_RIGHTS !== undefined)
    fields.SCM_RIGHTS = [...fields.SCM_RIGHTS, ...(value as readonly number[])];
  else (fields as Record<string, unknown>)[name] = value;
}

/**
 * Names and values of control messages that came.
 *
 * @param ancdata  as recvmsg() gives it: `[level, type, data]` each.
 * @returns those that have a name here; where one name came twice the last (of descriptors: all). One that was cut for
 *   want of room (MSG_CTRUNC) is left out, but for the descriptors that there are.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: not such tuples.
 * @see cmsg(3)
 * @example const [data, ancdata] = await sock.recvmsg(1500, CMSG_SPACE(4));
 *          decode_ancillary(ancdata).IP_TTL; // 64
 */
export function decode_ancillary(
  ancdata: Iterable<readonly [level: number, type: number, data: Uint8Array]>,
): AncillaryFields {
  if (!isList(ancdata)) throw invalidArgument("ancdata", "an iterable of [level, type, data]", ancdata);
  const fields: AncillaryFields = {};
  for (const item of ancdata) {
    if (!Array.isArray(item) || !(item[2] instanceof Uint8Array))
      throw invalidArgument("ancdata", "[level, type, data] each", item);
    const [level, type, data] = item as readonly [number, number, Uint8Array];
    put(fields, level, type, data);
  }
  return fields;
}

/** The same of what the kernel wrote: the control buffer, and msg_controllen after the call. */
export function decodeFields(control: Uint8Array, length: number): AncillaryFields {
  const fields: AncillaryFields = {};
  visitAncillary(control, length, (level, type, from, to) => {
    put(fields, level, type, control.subarray(from, to));
  });
  return fields;
}

/**
 * Control messages for sendmsg() from their names and values: `sock.sendmsg([data], encode_ancillary({ IP_TTL: 7 }))`.
 *
 * @param fields  what is undefined is left out.
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: the value, or a name that is only received. @throws {RangeError}
 *   ERR_OUT_OF_RANGE: the value. @throws {SocketError} ENOPROTOOPT: this system has no such control message.
 * @throws {AddressError} EAI_NONAME: an address that is not numeric.
 * @see cmsg(3)
 */
export function encode_ancillary(fields: AncillaryToSend): Ancillary[] {
  if (typeof fields !== "object" || fields === null)
    throw invalidArgument("fields", "an object of control messages by name", fields);
  const items: Ancillary[] = [];
  for (const [name, value] of Object.entries(fields) as [string, unknown][]) {
    if (value === undefined) continue;
    const place = byName.get(name);
    if (place === undefined || !("writer" in place))
      throw invalidArgument("fields", "an object of control messages that are sent", name);
    const { level, type, writer } = place;
    if (level < 0 || type < 0)
      throw new SocketError("sendmsg", -ENOPROTOOPT, { text: `this system has no control message ${name}` });
    items.push([level, type, writer.encode(value, name)]);
  }
  return items;
}
