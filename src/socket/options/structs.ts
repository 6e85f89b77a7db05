// Values of options of every socket that are more than a number: linger, timeouts, credentials, memory, filters.
// Bytes only.

import { invalidArgument, outOfRange } from "../errors.ts";
import { i32, long, text, truth, u16, u32, u8, ulong } from "./field.ts";
import type { Codec, Reader } from "./struct.ts";
import { many, one, struct } from "./struct.ts";

/** struct linger: what close() does with bytes not yet sent. socket(7). */
export interface Linger {
  /** Whether close() lingers. */
  onoff: boolean;
  /** Seconds; 0 with `onoff` sends a reset instead of an end. */
  linger: number;
}

export const linger: Codec<Linger> = one(struct<Linger>({ onoff: truth(i32), linger: i32 }));

const timeval = one(struct<{ sec: number; usec: number }>({ sec: long, usec: long }));

/** struct timeval as seconds, to the microsecond. */
export const seconds: Codec<number> = {
  room: timeval.room,
  decode(bytes) {
    const { sec, usec } = timeval.decode(bytes);
    return sec + usec / 1e6;
  },
  encode(value, what) {
    if (typeof value !== "number") throw invalidArgument(what, "a number of seconds", value);
    if (!(value >= 0 && value < 2 ** 31)) throw outOfRange(what, "from 0 to 2 ** 31 seconds", value);
    const sec = Math.floor(value);
    // Rounded up: a very short timeout must not become 0, which means none.
    return timeval.encode({ sec, usec: Math.min(Math.ceil((value - sec) * 1e6), 999_999) }, what);
  },
};

/** struct ucred: who connected, as the kernel saw it then. unix(7). */
export interface Credentials {
  pid: number;
  uid: number;
  gid: number;
}

export const credentials: Codec<Credentials> = one(struct<Credentials>({ pid: i32, uid: u32, gid: u32 }));

/** What a socket's memory holds, in bytes. sock_diag(7), SK_MEMINFO_*. */
export interface MemoryInfo {
  rmem_alloc: number;
  rcvbuf: number;
  wmem_alloc: number;
  sndbuf: number;
  fwd_alloc: number;
  wmem_queued: number;
  optmem: number;
  backlog: number;
  /** Packets dropped for want of room. */
  drops: number;
}

export const memoryInfo: Reader<MemoryInfo> = one(
  struct<MemoryInfo>({
    rmem_alloc: u32,
    rcvbuf: u32,
    wmem_alloc: u32,
    sndbuf: u32,
    fwd_alloc: u32,
    wmem_queued: u32,
    optmem: u32,
    backlog: u32,
    drops: u32,
  }),
);

/** struct sock_txtime: packets carry their time of departure. */
export interface TransmitTime {
  /** CLOCK_* that the times are of: 11 is CLOCK_TAI, 1 CLOCK_MONOTONIC. */
  clockid: number;
  /** SOF_TXTIME_* bits. */
  flags: number;
}

export const transmitTime: Codec<TransmitTime> = one(struct<TransmitTime>({ clockid: i32, flags: u32 }));

/** Bytes per second; Infinity: no limit. */
export const rate: Codec<number> = one(ulong);

/** Groups of the peer, SO_PEERGROUPS; NGROUPS_MAX is 65536, an answer here has room for a quarter of it. */
export const groups: Reader<readonly number[]> = many(u32, 16_384);

/** A text in room for `bytes`, its NUL included. */
export function name(bytes: number): Codec<string> {
  return one(text(bytes));
}

/** An interface's name; IFNAMSIZ. netdevice(7). */
export const device: Codec<string> = name(16);

/** One instruction of classic BPF, struct sock_filter. */
export interface FilterInstruction {
  /** What it does: BPF_* bits. */
  code: number;
  /** How many instructions to skip when its comparison is true, */
  jt: number;
  /** and when it is false. */
  jf: number;
  /** Its operand. */
  k: number;
}

/** A program of classic BPF, at most BPF_MAXINSNS instructions. Documentation/networking/filter.rst. */
export const filter: Codec<readonly FilterInstruction[]> = many(
  struct<FilterInstruction>({ code: u16, jt: u8, jf: u8, k: u32 }),
  4096,
);
