// Options of every socket: level SOL_SOCKET, socket(7), unix(7). One line an option; its type says what it takes.

import * as c from "../../constants/socket-options.ts";
import { SOL_SOCKET } from "../../constants/levels.ts";
import type { Action, Command, Fact, Option, Program, Query } from "./definition.ts";
import { action, command, fact, flag, int, option, program, query, uint } from "./definition.ts";
import { identity } from "./field.ts";
import { one } from "./struct.ts";
import type { Credentials, FilterInstruction, Linger, MemoryInfo, TransmitTime } from "./structs.ts";
import {
  credentials,
  device,
  filter,
  groups,
  linger,
  memoryInfo,
  name,
  rate,
  seconds,
  transmitTime,
} from "./structs.ts";

const L = SOL_SOCKET;
const CONTEXT_BYTES = 4096; // of a security module; SELinux: a page

/** SOL_SOCKET. */
export class SocketTable {
  /** Whether it listens. */
  readonly SO_ACCEPTCONN: Fact<boolean> = fact(L, c.SO_ACCEPTCONN, flag);
  /** Attaches an eBPF program by its descriptor. */
  readonly SO_ATTACH_BPF: Action<number> = action(L, c.SO_ATTACH_BPF, int);
  /** Attaches a classic BPF program: only packets for which it does not return 0 arrive, cut to what it returns. */
  readonly SO_ATTACH_FILTER: Program<readonly FilterInstruction[]> = program(L, c.SO_ATTACH_FILTER, filter);
  /** A classic BPF program that picks the socket of a SO_REUSEPORT group. */
  readonly SO_ATTACH_REUSEPORT_CBPF: Program<readonly FilterInstruction[]> = program(
    L,
    c.SO_ATTACH_REUSEPORT_CBPF,
    filter,
  );
  /** An eBPF program that picks the socket of a SO_REUSEPORT group, by its descriptor. */
  readonly SO_ATTACH_REUSEPORT_EBPF: Action<number> = action(L, c.SO_ATTACH_REUSEPORT_EBPF, int);
  /** Only packets of this interface; "": of any. Changing one that is set needs CAP_NET_RAW. */
  readonly SO_BINDTODEVICE: Option<string> = option(L, c.SO_BINDTODEVICE, device);
  /** The same by index; 0: any. Linux 5.0. */
  readonly SO_BINDTOIFINDEX: Option<number> = option(L, c.SO_BINDTOIFINDEX, int);
  /** How many extensions of BPF the kernel knows. */
  readonly SO_BPF_EXTENSIONS: Fact<number> = fact(L, c.SO_BPF_EXTENSIONS, int);
  /** Datagrams may go to broadcast addresses. */
  readonly SO_BROADCAST: Option<boolean> = option(L, c.SO_BROADCAST, flag);
  /** SOCK_SNDBUF_LOCK and SOCK_RCVBUF_LOCK bits: which buffers the kernel must not resize. Linux 5.14. */
  readonly SO_BUF_LOCK: Option<number> = option(L, c.SO_BUF_LOCK, int);
  /** Microseconds that a receive polls the device. More than the system's default needs CAP_NET_ADMIN. */
  readonly SO_BUSY_POLL: Option<number> = option(L, c.SO_BUSY_POLL, int);
  /** Packets taken in one poll; more than 8 needs CAP_NET_ADMIN. Linux 5.11. */
  readonly SO_BUSY_POLL_BUDGET: Action<number> = action(L, c.SO_BUSY_POLL_BUDGET, int);
  /** A hint that the path to the peer works (1). */
  readonly SO_CNX_ADVICE: Action<number> = action(L, c.SO_CNX_ADVICE, int);
  /** The socket's identity in the kernel; no other ever has it. */
  readonly SO_COOKIE: Fact<bigint> = fact(L, c.SO_COOKIE, one(identity));
  /** Needs CAP_NET_ADMIN. */
  readonly SO_DEBUG: Option<boolean> = option(L, c.SO_DEBUG, flag);
  /** Takes the filter away, of either kind. */
  readonly SO_DETACH_FILTER: Command = command(L, c.SO_DETACH_FILTER);
  /** Takes the program of a SO_REUSEPORT group away. */
  readonly SO_DETACH_REUSEPORT_BPF: Command = command(L, c.SO_DETACH_REUSEPORT_BPF);
  /** AF_*. */
  readonly SO_DOMAIN: Fact<number> = fact(L, c.SO_DOMAIN, int);
  /** Only hosts that are connected directly. */
  readonly SO_DONTROUTE: Option<boolean> = option(L, c.SO_DONTROUTE, flag);
  /** The pending error's errno, 0: none. Reading clears it. */
  readonly SO_ERROR: Fact<number> = fact(L, c.SO_ERROR, int);
  /** The classic BPF program that is attached. */
  readonly SO_GET_FILTER: Fact<readonly FilterInstruction[]> = fact(L, c.SO_GET_FILTER, filter);
  /** The processor on which packets arrive; set: prefer this socket of a SO_REUSEPORT group there. */
  readonly SO_INCOMING_CPU: Option<number> = option(L, c.SO_INCOMING_CPU, int);
  /** The device queue that the last packet came from. */
  readonly SO_INCOMING_NAPI_ID: Fact<number> = fact(L, c.SO_INCOMING_NAPI_ID, uint);
  /** recvmsg tells how many bytes are left (SCM_INQ). Linux 6.17. */
  readonly SO_INQ: Option<boolean> = option(L, c.SO_INQ, flag);
  /** Probes while nothing happens: TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT. */
  readonly SO_KEEPALIVE: Option<boolean> = option(L, c.SO_KEEPALIVE, flag);
  /**
   * What close() does with bytes not yet sent. `{ onoff: true, linger: 0 }` resets the connection. With more than 0 close()
   * waits so many seconds for them to go, and the thread with it, also where no other call waits.
   */
  readonly SO_LINGER: Option<Linger> = option(L, c.SO_LINGER, linger);
  /** The filter can no longer be changed; this cannot be undone. */
  readonly SO_LOCK_FILTER: Option<boolean> = option(L, c.SO_LOCK_FILTER, flag);
  /** Mark for routing and filtering. Needs CAP_NET_ADMIN or CAP_NET_RAW. */
  readonly SO_MARK: Option<number> = option(L, c.SO_MARK, uint);
  /** Bytes per second at most; Infinity: no limit. */
  readonly SO_MAX_PACING_RATE: Option<number> = option(L, c.SO_MAX_PACING_RATE, rate);
  /** What its memory holds. Linux 4.12. */
  readonly SO_MEMINFO: Fact<MemoryInfo> = fact(L, c.SO_MEMINFO, memoryInfo);
  /** The network namespace's identity. Linux 5.14. */
  readonly SO_NETNS_COOKIE: Fact<bigint> = fact(L, c.SO_NETNS_COOKIE, one(identity));
  /** Frames bring their own checksum (AF_PACKET, with devices that can). */
  readonly SO_NOFCS: Option<boolean> = option(L, c.SO_NOFCS, flag);
  /** No UDP checksums for IPv4. */
  readonly SO_NO_CHECK: Option<boolean> = option(L, c.SO_NO_CHECK, flag);
  /** Urgent data stays in line. */
  readonly SO_OOBINLINE: Option<boolean> = option(L, c.SO_OOBINLINE, flag);
  /** recvmsg brings the sender's credentials (SCM_CREDENTIALS). */
  readonly SO_PASSCRED: Option<boolean> = option(L, c.SO_PASSCRED, flag);
  /** recvmsg brings a descriptor for the sender's process (SCM_PIDFD). Linux 6.5. */
  readonly SO_PASSPIDFD: Option<boolean> = option(L, c.SO_PASSPIDFD, flag);
  /** Descriptors may arrive (SCM_RIGHTS); true from the start. Linux 6.16. */
  readonly SO_PASSRIGHTS: Option<boolean> = option(L, c.SO_PASSRIGHTS, flag);
  /** recvmsg brings the sender's security context (SCM_SECURITY). */
  readonly SO_PASSSEC: Option<boolean> = option(L, c.SO_PASSSEC, flag);
  /** Where the next MSG_PEEK begins, and it moves on; -1: off. */
  readonly SO_PEEK_OFF: Option<number> = option(L, c.SO_PEEK_OFF, int);
  /** Who connected: the peer's process, user and group at that time. */
  readonly SO_PEERCRED: Fact<Credentials> = fact(L, c.SO_PEERCRED, credentials);
  /** The peer's supplementary groups. */
  readonly SO_PEERGROUPS: Fact<readonly number[]> = fact(L, c.SO_PEERGROUPS, groups);
  /** Opens a descriptor for the peer's process, which is the caller's to close. Linux 6.5. */
  readonly SO_PEERPIDFD: Query<number> = query(L, c.SO_PEERPIDFD, int);
  /** The peer's security context. */
  readonly SO_PEERSEC: Fact<string> = fact(L, c.SO_PEERSEC, name(CONTEXT_BYTES));
  /** Prefer polling to interrupts. Needs CAP_NET_ADMIN. Linux 5.11. */
  readonly SO_PREFER_BUSY_POLL: Option<boolean> = option(L, c.SO_PREFER_BUSY_POLL, flag);
  /** 0..6 without a right, more needs CAP_NET_ADMIN. */
  readonly SO_PRIORITY: Option<number> = option(L, c.SO_PRIORITY, int);
  /** The protocol's number. */
  readonly SO_PROTOCOL: Fact<number> = fact(L, c.SO_PROTOCOL, int);
  /** Receive buffer, bytes. Linux doubles what is set, and tells the double; net.core.rmem_max limits it. */
  readonly SO_RCVBUF: Option<number> = option(L, c.SO_RCVBUF, int);
  /** The same beyond the limit. Needs CAP_NET_ADMIN. */
  readonly SO_RCVBUFFORCE: Action<number> = action(L, c.SO_RCVBUFFORCE, int);
  /** So many bytes make it readable. */
  readonly SO_RCVLOWAT: Option<number> = option(L, c.SO_RCVLOWAT, int);
  /** recvmsg brings the mark (SO_MARK). Linux 5.19. */
  readonly SO_RCVMARK: Option<boolean> = option(L, c.SO_RCVMARK, flag);
  /** recvmsg brings the priority (SO_PRIORITY). Linux 6.14. */
  readonly SO_RCVPRIORITY: Option<boolean> = option(L, c.SO_RCVPRIORITY, flag);
  /** Seconds, 0: none. For calls that block in the kernel; those here never do: use settimeout(). */
  readonly SO_RCVTIMEO: Option<number> = option(L, c.SO_RCVTIMEO, seconds);
  /** Bytes of memory set aside for it. Linux 5.16. */
  readonly SO_RESERVE_MEM: Option<number> = option(L, c.SO_RESERVE_MEM, int);
  /** A listener may bind while old connections of the address linger. */
  readonly SO_REUSEADDR: Option<boolean> = option(L, c.SO_REUSEADDR, flag);
  /** Several sockets at one address share what arrives. */
  readonly SO_REUSEPORT: Option<boolean> = option(L, c.SO_REUSEPORT, flag);
  /** recvmsg tells how many packets were dropped (SO_RXQ_OVFL). */
  readonly SO_RXQ_OVFL: Option<boolean> = option(L, c.SO_RXQ_OVFL, flag);
  /** A message in the error queue makes it readable (POLLPRI). */
  readonly SO_SELECT_ERR_QUEUE: Option<boolean> = option(L, c.SO_SELECT_ERR_QUEUE, flag);
  /** Send buffer, bytes. Linux doubles what is set, and tells the double; net.core.wmem_max limits it. */
  readonly SO_SNDBUF: Option<number> = option(L, c.SO_SNDBUF, int);
  /** The same beyond the limit. Needs CAP_NET_ADMIN. */
  readonly SO_SNDBUFFORCE: Action<number> = action(L, c.SO_SNDBUFFORCE, int);
  /** So much room makes it writable; Linux has 1. */
  readonly SO_SNDLOWAT: Fact<number> = fact(L, c.SO_SNDLOWAT, int);
  /** Seconds, 0: none. As SO_RCVTIMEO. */
  readonly SO_SNDTIMEO: Option<number> = option(L, c.SO_SNDTIMEO, seconds);
  /** recvmsg brings the time of arrival in microseconds. */
  readonly SO_TIMESTAMP: Option<boolean> = option(L, c.SO_TIMESTAMP, flag);
  /** SOF_TIMESTAMPING_* bits: which times are taken and reported. */
  readonly SO_TIMESTAMPING: Option<number> = option(L, c.SO_TIMESTAMPING, int);
  /** recvmsg brings the time of arrival in nanoseconds. */
  readonly SO_TIMESTAMPNS: Option<boolean> = option(L, c.SO_TIMESTAMPNS, flag);
  /** SOCK_TXREHASH_*: whether trouble makes it try another path. Linux 5.18. */
  readonly SO_TXREHASH: Option<number> = option(L, c.SO_TXREHASH, int);
  /** Packets carry their time of departure (SCM_TXTIME). Needs CAP_NET_ADMIN for most clocks. */
  readonly SO_TXTIME: Option<TransmitTime> = option(L, c.SO_TXTIME, transmitTime);
  /** SOCK_*. */
  readonly SO_TYPE: Fact<number> = fact(L, c.SO_TYPE, int);
  /** The error queue tells whether a wireless frame was acknowledged. */
  readonly SO_WIFI_STATUS: Option<boolean> = option(L, c.SO_WIFI_STATUS, flag);
  /** MSG_ZEROCOPY is allowed. */
  readonly SO_ZEROCOPY: Option<boolean> = option(L, c.SO_ZEROCOPY, flag);
}
