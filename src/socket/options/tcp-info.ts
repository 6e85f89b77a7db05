// TCP_INFO: how a connection fares, as a named object. Names are those of struct tcp_info without their prefix. The
// structure grows with the kernel; what an older kernel does not tell is absent. tcp(7), linux/tcp.h. Bytes only.

import { LITTLE_ENDIAN } from "../address/view.ts";
import { u16, u32, u64, u8 } from "./field.ts";
import type { Reader } from "./struct.ts";
import { one, struct } from "./struct.ts";

/** The members of TCP_INFO. Times are in microseconds unless they say otherwise. */
export interface TcpInfo {
  /** TCP_ESTABLISHED, TCP_LISTEN, … */
  state: number;
  /** Congestion state: 0 open, 1 disorder, 2 reduced, 3 recovery, 4 loss. */
  ca_state: number;
  /** Retransmissions of the oldest unacknowledged segment. */
  retransmits: number;
  /** Probes sent that are not answered yet. */
  probes: number;
  /** How often the retransmission timer has doubled. */
  backoff: number;
  /** TCPI_OPT_* bits: what both ends agreed on. */
  options: number;
  /** The peer's window is shifted by so many bits, */
  snd_wscale: number;
  /** and ours by so many. */
  rcv_wscale: number;
  /** Whether the delivery rate was limited by the program. */
  delivery_rate_app_limited: boolean;
  /** Why TCP Fast Open was not used; 0: it was, or was not asked for. */
  fastopen_client_fail: number;
  /** Retransmission timeout. */
  rto: number;
  /** Delayed-acknowledgement timeout. */
  ato: number;
  /** Largest segment sent, bytes. */
  snd_mss: number;
  /** Largest segment received, bytes. */
  rcv_mss: number;
  /** Segments sent and not acknowledged; of a listener: connections that wait to be accepted. */
  unacked: number;
  /** Segments acknowledged selectively; of a listener: its backlog. */
  sacked: number;
  /** Segments believed lost. */
  lost: number;
  /** Segments retransmitted and not acknowledged. */
  retrans: number;
  /** Unused since Linux 4.15. */
  fackets: number;
  /** Milliseconds since data was last sent. */
  last_data_sent: number;
  /** Unused. */
  last_ack_sent: number;
  /** Milliseconds since data last arrived. */
  last_data_recv: number;
  /** Milliseconds since an acknowledgement last arrived. */
  last_ack_recv: number;
  /** Path MTU, bytes. */
  pmtu: number;
  /** Receive slow-start threshold, bytes. */
  rcv_ssthresh: number;
  /** Smoothed round-trip time. */
  rtt: number;
  /** Its mean deviation. */
  rttvar: number;
  /** Slow-start threshold, segments. */
  snd_ssthresh: number;
  /** Congestion window, segments. */
  snd_cwnd: number;
  /** Largest segment announced, bytes. */
  advmss: number;
  /** How far segments may be out of order. */
  reordering: number;
  /** Round-trip time as the receiver estimates it. */
  rcv_rtt: number;
  /** Receive buffer that the kernel thinks is needed, bytes. */
  rcv_space: number;
  /** Segments retransmitted over the connection's life. */
  total_retrans: number;
  /** Bytes per second that pacing allows; Infinity: no limit. Linux 3.15. */
  pacing_rate?: number;
  /** Bytes per second that pacing may allow at most; Infinity: no limit. Linux 3.15. */
  max_pacing_rate?: number;
  /** Linux 4.1. */
  bytes_acked?: number;
  /** Linux 4.1. */
  bytes_received?: number;
  /** Segments. Linux 4.2. */
  segs_out?: number;
  /** Segments. Linux 4.2. */
  segs_in?: number;
  /** Bytes in the send buffer that were never sent. Linux 4.6. */
  notsent_bytes?: number;
  /** Smallest round-trip time seen; 4294967295: none yet. Linux 4.6. */
  min_rtt?: number;
  /** Segments with data. Linux 4.6. */
  data_segs_in?: number;
  /** Segments with data. Linux 4.6. */
  data_segs_out?: number;
  /** Bytes per second delivered of late. Linux 4.9. */
  delivery_rate?: number;
  /** Time spent sending. Linux 4.10. */
  busy_time?: number;
  /** Time limited by the peer's window. Linux 4.10. */
  rwnd_limited?: number;
  /** Time limited by the send buffer. Linux 4.10. */
  sndbuf_limited?: number;
  /** Segments delivered. Linux 4.18. */
  delivered?: number;
  /** Those of them marked by congestion. Linux 4.18. */
  delivered_ce?: number;
  /** Retransmitted ones included. Linux 4.19. */
  bytes_sent?: number;
  /** Linux 4.19. */
  bytes_retrans?: number;
  /** Linux 4.19. */
  dsack_dups?: number;
  /** Linux 4.19. */
  reord_seen?: number;
  /** Segments that arrived out of order. Linux 5.4. */
  rcv_ooopack?: number;
  /** The peer's window, bytes. Linux 5.4. */
  snd_wnd?: number;
  /** Our window, bytes. Linux 6.2. */
  rcv_wnd?: number;
  /** Linux 6.2. */
  rehash?: number;
  /** Retransmission timeouts. Linux 6.7. */
  total_rto?: number;
  /** Linux 6.7. */
  total_rto_recoveries?: number;
  /** Milliseconds. Linux 6.7. */
  total_rto_time?: number;
  /** Segments that arrived marked by congestion. Linux 6.18. */
  received_ce?: number;
}

/** As the kernel lays it out: four members share two bytes. */
type Layout = Omit<
  TcpInfo,
  "snd_wscale" | "rcv_wscale" | "delivery_rate_app_limited" | "fastopen_client_fail"
> & { wscales: number; limits: number };

const layout: Reader<Layout> = one(
  struct<Layout>({
    state: u8,
    ca_state: u8,
    retransmits: u8,
    probes: u8,
    backoff: u8,
    options: u8,
    wscales: u8,
    limits: u8,
    rto: u32,
    ato: u32,
    snd_mss: u32,
    rcv_mss: u32,
    unacked: u32,
    sacked: u32,
    lost: u32,
    retrans: u32,
    fackets: u32,
    last_data_sent: u32,
    last_ack_sent: u32,
    last_data_recv: u32,
    last_ack_recv: u32,
    pmtu: u32,
    rcv_ssthresh: u32,
    rtt: u32,
    rttvar: u32,
    snd_ssthresh: u32,
    snd_cwnd: u32,
    advmss: u32,
    reordering: u32,
    rcv_rtt: u32,
    rcv_space: u32,
    total_retrans: u32,
    pacing_rate: u64,
    max_pacing_rate: u64,
    bytes_acked: u64,
    bytes_received: u64,
    segs_out: u32,
    segs_in: u32,
    notsent_bytes: u32,
    min_rtt: u32,
    data_segs_in: u32,
    data_segs_out: u32,
    delivery_rate: u64,
    busy_time: u64,
    rwnd_limited: u64,
    sndbuf_limited: u64,
    delivered: u32,
    delivered_ce: u32,
    bytes_sent: u64,
    bytes_retrans: u64,
    dsack_dups: u32,
    reord_seen: u32,
    rcv_ooopack: u32,
    snd_wnd: u32,
    rcv_wnd: u32,
    rehash: u32,
    total_rto: u16,
    total_rto_recoveries: u16,
    total_rto_time: u32,
    received_ce: u32,
  }),
);

/** struct tcp_info. */
export const tcpInfo: Reader<TcpInfo> = {
  room: layout.room,
  decode(bytes) {
    const { wscales, limits, ...info } = layout.decode(bytes);
    // Bit fields begin at the low end of a byte on little-endian machines, at the high end on others.
    const bits = (byte: number, at: number, count: number): number =>
      (byte >> (LITTLE_ENDIAN ? at : 8 - at - count)) & (2 ** count - 1);
    return {
      ...info,
      snd_wscale: bits(wscales, 0, 4),
      rcv_wscale: bits(wscales, 4, 4),
      delivery_rate_app_limited: bits(limits, 0, 1) === 1,
      fastopen_client_fail: bits(limits, 1, 2),
    };
  },
};
