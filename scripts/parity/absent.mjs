// What of CPython's socket and selectors modules Berkeley does not have, and why: one line a reason, with the names that
// it is the reason for. Whatever is neither exported nor here fails scripts/parity.mjs, and so does a name that is both.

/** section of names.txt → reason → names */
export const ABSENT = {
  socket: {
    "a module that CPython's own source imports, seen by dir()": "array errno io os selectors sys",
    "a class of Python's enum module that CPython's own source imports": "IntEnum IntFlag",
    "a pointer for C extension modules of CPython": "CAPI",
    "IPX, which left Linux in 4.18": "IPX_TYPE",
    "Windows: sharing a socket through its API; here fromfd(), send_fds() and recv_fds()": "fromshare",
    "Windows: the texts of its error codes; here errors carry the system's own": "errorTab",
    "Windows: requests of WSAIoctl()":
      "SIO_KEEPALIVE_VALS SIO_LOOPBACK_FAST_PATH SIO_RCVALL RCVALL_MAX RCVALL_OFF RCVALL_ON RCVALL_SOCKETLEVELONLY",
    "Windows: Hyper-V sockets; a Linux guest reaches its host through AF_VSOCK":
      "AF_HYPERV HVSOCKET_ADDRESS_FLAG_PASSTHRU HVSOCKET_CONNECTED_SUSPEND HVSOCKET_CONNECT_TIMEOUT HVSOCKET_CONNECT_TIMEOUT_MAX HV_GUID_BROADCAST HV_GUID_CHILDREN HV_GUID_LOOPBACK HV_GUID_PARENT HV_GUID_WILDCARD HV_GUID_ZERO HV_PROTOCOL_RAW",
    "Windows: options and flags of its own":
      "SO_BTH_ENCRYPT SO_BTH_MTU SO_BTH_MTU_MAX SO_BTH_MTU_MIN SO_EXCLUSIVEADDRUSE MSG_BCAST MSG_MCAST IPPROTO_CBT IPPROTO_ICLFXBM IPPROTO_IGP IPPROTO_PGM IPPROTO_RDP IPPROTO_ST",
    "macOS: system sockets": "AF_SYSTEM PF_SYSTEM SYSPROTO_CONTROL",
    "macOS and the BSDs: link-layer addresses; on Linux AF_PACKET": "AF_LINK",
    "macOS and the BSDs: credentials of a peer; on Linux SO_PEERCRED and SCM_CREDENTIALS":
      "LOCAL_CREDS LOCAL_CREDS_PERSISTENT LOCAL_PEERCRED SCM_CREDS SCM_CREDS2",
    "macOS: the state of a connection; on Linux TCP_INFO": "TCP_CONNECTION_INFO",
    "macOS: on Linux TCP_KEEPIDLE": "TCP_KEEPALIVE",
    "macOS and the BSDs: on Linux IP_PKTINFO": "IP_RECVDSTADDR",
    "macOS and the BSDs: options and flags that Linux does not have":
      "IPV6_USE_MIN_MTU SO_USELOOPBACK MSG_EOF AI_DEFAULT AI_MASK AI_V4MAPPED_CFG EAI_BADHINTS EAI_MAX EAI_PROTOCOL",
    "macOS and the BSDs: protocol numbers that Linux's headers do not have; the number itself will do":
      "IPPROTO_BIP IPPROTO_EON IPPROTO_GGP IPPROTO_HELLO IPPROTO_IPCOMP IPPROTO_IPV4 IPPROTO_MAX IPPROTO_MOBILE IPPROTO_ND IPPROTO_VRRP IPPROTO_XTP",
    "FreeBSD: divert sockets": "AF_DIVERT PF_DIVERT",
    "FreeBSD: options and flags of its own": "SO_REUSEPORT_LB SO_SETFIB MSG_BTAG MSG_ETAG MSG_NOTIFICATION",
  },
  "socket.socket": {
    "Windows: WSAIoctl()": "ioctl",
    "Windows: sharing a socket through its API; here send_fds() and recv_fds()": "share",
  },
  selectors: {
    "what CPython's own source imports, seen by dir()":
      "ABCMeta Mapping abstractmethod math namedtuple select sys",
    "Solaris: /dev/poll": "DevpollSelector",
  },
  "selectors.SelectorKey": {
    "a method of Python's tuples; ours is an object with the four fields": "count index",
  },
};
