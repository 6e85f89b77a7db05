// The calls of native/names.c and native/tables.c, and the texts of native/constants.c, as a type. Where a text comes
// out, an error is a number: -errno.

/** An answer of getaddrinfo: addresses as in calls.ts, 128 bytes and their length. */
export type AddressAnswer = readonly (readonly [
  family: number,
  type: number,
  proto: number,
  canonname: string,
  view: Uint8Array,
])[];

/** An answer of getnameinfo. */
export type NameAnswer = readonly [host: string, service: string];

/** An answer of gethostbyname and gethostbyaddr. */
export type HostAnswer = readonly [name: string, aliases: string[], family: number, packed: Uint8Array[]];

/**
 * Any answer. A number is an error: -1..-4095 is -errno, -10000-n the code n of EAI_* without its sign, -20000-n the
 * h_errno n.
 */
export type LookupAnswer = AddressAnswer | NameAnswer | HostAnswer | number;

/** Lookups. Those with an id return 0 and answer later through lookup_open's callback; `_now` answers at once. */
export interface LookupCalls {
  lookup_open(callback: (id: number, answer: LookupAnswer) => void): number;
  lookup_ref(): number;
  lookup_unref(): number;
  lookup_cancel(id: number): number;
  getaddrinfo(
    id: number,
    host: string | null,
    service: string | null,
    family: number,
    type: number,
    proto: number,
    flags: number,
  ): number;
  getaddrinfo_now(
    host: string | null,
    service: string | null,
    family: number,
    type: number,
    proto: number,
    flags: number,
  ): LookupAnswer;
  getnameinfo(id: number, address: Uint8Array, offset: number, length: number, flags: number): number;
  getnameinfo_now(address: Uint8Array, offset: number, length: number, flags: number): LookupAnswer;
  gethostbyname(id: number, name: string): number;
  gethostbyname_now(name: string): LookupAnswer;
  gethostbyaddr(id: number, packed: Uint8Array, offset: number, length: number, family: number): number;
  gethostbyaddr_now(packed: Uint8Array, offset: number, length: number, family: number): LookupAnswer;
}

/** What this machine knows by itself. */
export interface TableCalls {
  gethostname(): string | number;
  sethostname(name: string): number;
  getservbyname(name: string, proto: string | null): number;
  getservbyport(port: number, proto: string | null): string | number;
  getprotobyname(name: string): number;
  if_nametoindex(name: string): number;
  if_indextoname(index: number): string | number;
  /** [index, name, index, name, …] */
  if_nameindex(): readonly (string | number)[] | number;
  /** The address in host order. */
  inet_aton(text: string): number;
  cmsg_len(bytes: number): number;
  cmsg_space(bytes: number): number;
}

/** Texts and name lookups. */
export interface NamesCalls extends LookupCalls, TableCalls {
  /** gai_strerror(3). */
  gai_strerror(code: number): string;
}
