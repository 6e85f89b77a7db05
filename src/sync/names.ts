// Names, for who blocks the thread: lookups are made on it. Gathers what ../socket/names/ has; nothing happens here.

export {
  AddressInfo,
  getaddrinfo_sync as getaddrinfo,
  getnameinfo_sync as getnameinfo,
} from "../socket/names/addresses.ts";
export type { AddressHints } from "../socket/names/addresses.ts";
export {
  getfqdn_sync as getfqdn,
  gethostbyaddr_sync as gethostbyaddr,
  gethostbyname_ex_sync as gethostbyname_ex,
  gethostbyname_sync as gethostbyname,
} from "../socket/names/hosts.ts";
export type { HostEntry } from "../socket/names/hosts.ts";
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
} from "../socket/names/numbers.ts";
export {
  gethostname,
  getprotobyname,
  getservbyname,
  getservbyport,
  if_indextoname,
  if_nameindex,
  if_nametoindex,
  sethostname,
} from "../socket/names/tables.ts";
