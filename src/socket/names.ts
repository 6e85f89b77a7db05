// Names: hosts, services, protocols, interfaces, and addresses in other forms. Gathers what names/ has; nothing happens
// here. Lookups that may ask another machine return promises; what this one knows comes at once.

export { AddressInfo, getaddrinfo, getnameinfo } from "./names/addresses.ts";
export type { AddressHints } from "./names/addresses.ts";
export { getfqdn, gethostbyaddr, gethostbyname, gethostbyname_ex } from "./names/hosts.ts";
export type { HostEntry } from "./names/hosts.ts";
export type { LookupOptions } from "./names/lookup.ts";
export {
  CMSG_LEN,
  CMSG_SPACE,
  htonl,
  htons,
  inet_aton,
  inet_ntoa,
  inet_ntop,
  inet_pton,
  ntohl,
  ntohs,
} from "./names/numbers.ts";
export {
  gethostname,
  getprotobyname,
  getservbyname,
  getservbyport,
  if_indextoname,
  if_nameindex,
  if_nametoindex,
  sethostname,
} from "./names/tables.ts";
