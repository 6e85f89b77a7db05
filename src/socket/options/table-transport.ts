// Options of TCP, Multipath TCP, kernel TLS, UDP and UDP-Lite. tcp(7), udp(7), udplite(7). One line an option; its type
// says what it takes.

import * as c from "../../constants/tcp.ts";
import * as u from "../../constants/udp.ts";
import { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE } from "../../constants/protocols.ts";
import { SOL_MPTCP, SOL_TLS } from "../../constants/levels.ts";
import type { Action, Fact, Option } from "./definition.ts";
import { action, fact, flag, int, option, uint } from "./definition.ts";
import { raw } from "./struct.ts";
import { name } from "./structs.ts";
import type { TcpInfo } from "./tcp-info.ts";
import { tcpInfo } from "./tcp-info.ts";
import type { Md5Key, Md5NetworkKey, MptcpInfo, RepairWindow } from "./tcp-structs.ts";
import { md5Key, mptcpInfo, repairWindow } from "./tcp-structs.ts";

const L = IPPROTO_TCP;
const ALGORITHM_BYTES = 16; // TCP_CA_NAME_MAX, TCP_ULP_NAME_MAX
const HEADERS_BYTES = 256; // a SYN: the link's, IPv6's and TCP's headers with options
const ALGORITHM_INFO_BYTES = 64; // union tcp_cc_info
const FASTOPEN_KEYS_BYTES = 32; // two of 16
const CRYPTO_BYTES = 64; // the largest struct tls12_crypto_info_* has 56

/** IPPROTO_TCP. */
export class TcpTable {
  /** State of the congestion control algorithm: vegas, dctcp or bbr info of linux/inet_diag.h. */
  readonly TCP_CC_INFO: Fact<Uint8Array> = fact(L, c.TCP_CC_INFO, raw(ALGORITHM_INFO_BYTES));
  /** Congestion control, by name: net.ipv4.tcp_available_congestion_control. Some need CAP_NET_ADMIN. */
  readonly TCP_CONGESTION: Option<string> = option(L, c.TCP_CONGESTION, name(ALGORITHM_BYTES));
  /** Only full segments go out until it is cleared, or 200 ms have passed. */
  readonly TCP_CORK: Option<boolean> = option(L, c.TCP_CORK, flag);
  /** Seconds for which a connection waits for its first data before it is accepted; 0: none. */
  readonly TCP_DEFER_ACCEPT: Option<number> = option(L, c.TCP_DEFER_ACCEPT, int);
  /** Microseconds that an acknowledgement may be delayed at most. Linux 6.16. */
  readonly TCP_DELACK_MAX_US: Option<number> = option(L, c.TCP_DELACK_MAX_US, int);
  /** Of a listener: so many connections may bring data with their first segment (RFC 7413). */
  readonly TCP_FASTOPEN: Option<number> = option(L, c.TCP_FASTOPEN, int);
  /** connect() waits for the first data, and sends it along. */
  readonly TCP_FASTOPEN_CONNECT: Option<boolean> = option(L, c.TCP_FASTOPEN_CONNECT, flag);
  /** One key of 16 bytes, or the current one and a former one. */
  readonly TCP_FASTOPEN_KEY: Option<Uint8Array> = option(L, c.TCP_FASTOPEN_KEY, raw(FASTOPEN_KEYS_BYTES));
  /** Fast Open without cookies. */
  readonly TCP_FASTOPEN_NO_COOKIE: Option<boolean> = option(L, c.TCP_FASTOPEN_NO_COOKIE, flag);
  /** How the connection fares. */
  readonly TCP_INFO: Fact<TcpInfo> = fact(L, c.TCP_INFO, tcpInfo);
  /** recvmsg tells how many bytes are left (TCP_CM_INQ). */
  readonly TCP_INQ: Option<boolean> = option(L, c.TCP_INQ, flag);
  /** Whether it is Multipath TCP. Linux 6.9. */
  readonly TCP_IS_MPTCP: Fact<boolean> = fact(L, c.TCP_IS_MPTCP, flag);
  /** Probes without an answer until the connection is given up. */
  readonly TCP_KEEPCNT: Option<number> = option(L, c.TCP_KEEPCNT, int);
  /** Seconds of silence before the first probe. */
  readonly TCP_KEEPIDLE: Option<number> = option(L, c.TCP_KEEPIDLE, int);
  /** Seconds between probes. */
  readonly TCP_KEEPINTVL: Option<number> = option(L, c.TCP_KEEPINTVL, int);
  /** Seconds in FIN_WAIT2; 0: the system's, -1: none. */
  readonly TCP_LINGER2: Option<number> = option(L, c.TCP_LINGER2, int);
  /** Largest segment, bytes. */
  readonly TCP_MAXSEG: Option<number> = option(L, c.TCP_MAXSEG, int);
  /** Signs segments to and from a host (RFC 2385). */
  readonly TCP_MD5SIG: Action<Md5Key> = action(L, c.TCP_MD5SIG, md5Key);
  /** The same for a network or an interface. */
  readonly TCP_MD5SIG_EXT: Action<Md5NetworkKey> = action(L, c.TCP_MD5SIG_EXT, md5Key);
  /** Small segments go out at once: Nagle's algorithm is off. */
  readonly TCP_NODELAY: Option<boolean> = option(L, c.TCP_NODELAY, flag);
  /** It is writable while fewer bytes than these are not yet sent. */
  readonly TCP_NOTSENT_LOWAT: Option<number> = option(L, c.TCP_NOTSENT_LOWAT, uint);
  /** Sequence number of the queue that TCP_REPAIR_QUEUE chose. */
  readonly TCP_QUEUE_SEQ: Option<number> = option(L, c.TCP_QUEUE_SEQ, uint);
  /** Acknowledgements go out at once, for now: the kernel may clear it. */
  readonly TCP_QUICKACK: Option<boolean> = option(L, c.TCP_QUICKACK, flag);
  /** TCP_REPAIR_ON, _OFF: the connection's state can be taken and put. Needs CAP_NET_ADMIN. */
  readonly TCP_REPAIR: Option<number> = option(L, c.TCP_REPAIR, int);
  /** TCP_RECV_QUEUE, TCP_SEND_QUEUE or TCP_NO_QUEUE. */
  readonly TCP_REPAIR_QUEUE: Option<number> = option(L, c.TCP_REPAIR_QUEUE, int);
  /** Windows of a connection in repair. */
  readonly TCP_REPAIR_WINDOW: Option<RepairWindow> = option(L, c.TCP_REPAIR_WINDOW, repairWindow);
  /** Milliseconds between retransmissions at most. Linux 6.15. */
  readonly TCP_RTO_MAX_MS: Option<number> = option(L, c.TCP_RTO_MAX_MS, int);
  /** Microseconds before a retransmission at least. Linux 6.16. */
  readonly TCP_RTO_MIN_US: Option<number> = option(L, c.TCP_RTO_MIN_US, int);
  /** The headers of the SYN of an accepted connection; reading takes them. */
  readonly TCP_SAVED_SYN: Fact<Uint8Array> = fact(L, c.TCP_SAVED_SYN, raw(HEADERS_BYTES));
  /** Of a listener: keep the SYNs' headers (1), or those of the link too (2). */
  readonly TCP_SAVE_SYN: Option<number> = option(L, c.TCP_SAVE_SYN, int);
  /** SYNs sent again until connect() gives up. */
  readonly TCP_SYNCNT: Option<number> = option(L, c.TCP_SYNCNT, int);
  /** Linear timeouts for thin streams. */
  readonly TCP_THIN_LINEAR_TIMEOUTS: Option<boolean> = option(L, c.TCP_THIN_LINEAR_TIMEOUTS, flag);
  /** The clock of the connection's timestamps. */
  readonly TCP_TIMESTAMP: Option<number> = option(L, c.TCP_TIMESTAMP, uint);
  /** Microseconds by which everything is delayed. */
  readonly TCP_TX_DELAY: Option<number> = option(L, c.TCP_TX_DELAY, int);
  /** An upper-layer protocol: "tls" makes TLS_TX and TLS_RX known. "": none. */
  readonly TCP_ULP: Option<string> = option(L, c.TCP_ULP, name(ALGORITHM_BYTES));
  /** Milliseconds that sent data may stay unacknowledged until the connection ends with ETIMEDOUT; 0: the system's. */
  readonly TCP_USER_TIMEOUT: Option<number> = option(L, c.TCP_USER_TIMEOUT, uint);
  /** Window at most, bytes. */
  readonly TCP_WINDOW_CLAMP: Option<number> = option(L, c.TCP_WINDOW_CLAMP, int);

  /** How a Multipath TCP connection fares. Linux 5.16. */
  readonly MPTCP_INFO: Fact<MptcpInfo> = fact(SOL_MPTCP, c.MPTCP_INFO, mptcpInfo);

  /** Keys for receiving: a struct tls12_crypto_info_*. linux/tls.h. */
  readonly TLS_RX: Action<Uint8Array> = action(SOL_TLS, c.TLS_RX, raw(CRYPTO_BYTES));
  /** Keys for sending. */
  readonly TLS_TX: Action<Uint8Array> = action(SOL_TLS, c.TLS_TX, raw(CRYPTO_BYTES));
  /** The peer sends no padding (TLS 1.3). Linux 6.0. */
  readonly TLS_RX_EXPECT_NO_PAD: Option<boolean> = option(SOL_TLS, c.TLS_RX_EXPECT_NO_PAD, flag);
  /** sendfile() does not copy what a device encrypts. Linux 5.19. */
  readonly TLS_TX_ZEROCOPY_RO: Option<boolean> = option(SOL_TLS, c.TLS_TX_ZEROCOPY_RO, flag);
}

/** IPPROTO_UDP and IPPROTO_UDPLITE. */
export class UdpTable {
  /** Everything sent until it is cleared is one datagram. */
  readonly UDP_CORK: Option<boolean> = option(IPPROTO_UDP, u.UDP_CORK, flag);
  /** UDP_ENCAP_*: what the datagrams carry for the kernel. */
  readonly UDP_ENCAP: Option<number> = option(IPPROTO_UDP, u.UDP_ENCAP, int);
  /** Datagrams of a flow may arrive glued together, with their size in recvmsg's ancillary data. Linux 5.0. */
  readonly UDP_GRO: Option<boolean> = option(IPPROTO_UDP, u.UDP_GRO, flag);
  /** Receives IPv6 datagrams without a checksum. */
  readonly UDP_NO_CHECK6_RX: Option<boolean> = option(IPPROTO_UDP, u.UDP_NO_CHECK6_RX, flag);
  /** Sends IPv6 datagrams without a checksum. */
  readonly UDP_NO_CHECK6_TX: Option<boolean> = option(IPPROTO_UDP, u.UDP_NO_CHECK6_TX, flag);
  /** Bytes of the datagrams into which what is sent is cut; 0: off. Linux 4.18. */
  readonly UDP_SEGMENT: Option<number> = option(IPPROTO_UDP, u.UDP_SEGMENT, int);
  /** UDP-Lite: bytes that must be covered by the checksum of what arrives; 0: all. */
  readonly UDPLITE_RECV_CSCOV: Option<number> = option(IPPROTO_UDPLITE, u.UDPLITE_RECV_CSCOV, int);
  /** UDP-Lite: bytes that the checksum covers of what is sent; 0: all. */
  readonly UDPLITE_SEND_CSCOV: Option<number> = option(IPPROTO_UDPLITE, u.UDPLITE_SEND_CSCOV, int);
}
