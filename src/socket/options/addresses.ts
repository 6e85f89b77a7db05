// Addresses inside options: bare IPv4 and IPv6 addresses, and a sockaddr of either family within a structure. They go in
// and out as text. It knows no option.

import { EAI_NONAME } from "../../constants/names.ts";
import { checkText } from "../address/check.ts";
import { decodeInet, encodeInet } from "../address/inet.ts";
import { decodeInet6, encodeInet6 } from "../address/inet6.ts";
import { formatIPv4, formatIPv6, parseIPv4, parseIPv6 } from "../address/text.ts";
import { ADDRESS_BYTES, readFamily } from "../address/view.ts";
import { AF_INET6 } from "../../constants/families.ts";
import { AddressError } from "../errors.ts";
import type { Field } from "./field.ts";
import type { Reader } from "./struct.ts";

const bytesAt = (view: DataView, at: number, length: number): Uint8Array =>
  new Uint8Array(view.buffer, view.byteOffset + at, length);

/** struct in_addr as "a.b.c.d". */
export const inAddr: Field<string> = {
  bytes: 4,
  align: 4,
  read: (view, at) => formatIPv4(view.getUint32(at)),
  write(view, at, value, what) {
    const address = parseIPv4(checkText(what, value));
    if (address < 0) throw AddressError.gai("inet_pton", EAI_NONAME, value);
    view.setUint32(at, address);
  },
};

/** struct in6_addr as RFC 5952 text. */
export const in6Addr: Field<string> = {
  bytes: 16,
  align: 4,
  read: (view, at) => formatIPv6(bytesAt(view, at, 16), 0),
  write(view, at, value, what) {
    if (!parseIPv6(checkText(what, value), bytesAt(view, at, 16), 0))
      throw AddressError.gai("inet_pton", EAI_NONAME, value);
  },
};

/** struct sockaddr_storage with a host of either family and port 0; the text says which. */
export const hostStorage: Field<string> = {
  bytes: ADDRESS_BYTES,
  align: 8,
  read(view, at) {
    const bytes = bytesAt(view, at, ADDRESS_BYTES);
    return readFamily(bytes) === AF_INET6 ? decodeInet6(bytes)[0] : decodeInet(bytes)[0];
  },
  write(view, at, value, what) {
    const bytes = bytesAt(view, at, ADDRESS_BYTES);
    if (checkText(what, value).includes(":")) encodeInet6([value, 0, 0, 0], bytes);
    else encodeInet([value, 0], bytes);
  },
};

/** A host and a port, as getsockopt(SO_ORIGINAL_DST) gives them. */
export const endpoint: Reader<readonly [host: string, port: number]> = {
  room: 28,
  decode(bytes) {
    const [host, port] = readFamily(bytes) === AF_INET6 ? decodeInet6(bytes) : decodeInet(bytes);
    return [host, port];
  },
};
