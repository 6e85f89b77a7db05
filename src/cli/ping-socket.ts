// Echo requests to one host and what comes back of them, over the socket that this program may have: a ping socket, which
// needs no capability, or else a raw one. It knows ICMP's messages (RFC 792, RFC 4443), and the kernel's times of them; it
// prints nothing.

import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import * as b from "../index.ts";
import type { Address, ErrorMessage, Socket } from "../index.ts";
import { internetChecksum } from "../packet/index.ts";
import { describeIcmp } from "./ping-errors.ts";

/** Type, code, checksum, identifier, sequence number. */
const HEADER_BYTES = 8;
/** Longer than any message that IP carries. */
const MESSAGE_BYTES_MAX = 65_536;
/** Hops, and three times of 16 bytes. */
const CONTROL_BYTES: number = b.CMSG_SPACE(4) + b.CMSG_SPACE(48);
/** So much of the data is this run's own; what else could be taken for an answer differs there. */
const TOKEN_BYTES = 16;

/**
 * What ICMP says, as the errno of the next call, whichever that is (ip(7), IP_RECVERR). All of it is in the error queue too,
 * with what it was about.
 */
const TOLD_BESIDE: ReadonlySet<number> = new Set([
  b.EACCES,
  b.ECONNREFUSED,
  b.EHOSTDOWN,
  b.EHOSTUNREACH,
  b.EMSGSIZE,
  b.ENETUNREACH,
  b.ENONET,
  b.ENOPROTOOPT,
  b.EOPNOTSUPP,
  b.EPROTO,
]);

const isToldBeside = (error: unknown): boolean =>
  error instanceof b.SocketError && TOLD_BESIDE.has(error.errno);

/** What came back of a request. `sequence` is as its message has it, 0 to 65535. */
export type Answer =
  | {
      readonly kind: "reply";
      readonly sequence: number;
      /** Of the message. */
      readonly bytes: number;
      readonly from: string;
      /** TTL or hop limit; undefined where the system does not tell. */
      readonly hops: number | undefined;
      /** Between the request's leaving and the reply's arriving, by the kernel's clock; undefined where it does not tell. */
      readonly ms: number | undefined;
    }
  | {
      readonly kind: "refusal";
      readonly sequence: number;
      readonly from: string;
      /** "Destination Host Unreachable". */
      readonly problem: string;
    };

/** The kernel stamps what leaves and what arrives, and numbers what leaves; Documentation/networking/timestamping.rst. */
const TIMES: number =
  b.SOF_TIMESTAMPING_TX_SOFTWARE |
  b.SOF_TIMESTAMPING_RX_SOFTWARE |
  b.SOF_TIMESTAMPING_SOFTWARE |
  b.SOF_TIMESTAMPING_OPT_ID |
  b.SOF_TIMESTAMPING_OPT_TSONLY;

/** Data of a request: what no other run has, then bytes that count up. */
function makePayload(bytes: number): Buffer {
  const payload = Buffer.from(Array.from({ length: bytes }, (_, index) => index & 0xff));
  randomBytes(TOKEN_BYTES).copy(payload);
  return payload;
}

/** A ping socket, or a raw one where that is not allowed. @throws {SocketError} neither is: what the raw one said. */
function openSocket(family: number): { readonly socket: Socket; readonly isRaw: boolean } {
  const protocol = family === b.AF_INET6 ? b.IPPROTO_ICMPV6 : b.IPPROTO_ICMP;
  try {
    return { socket: b.socket(family, b.SOCK_DGRAM, protocol), isRaw: false };
  } catch (error) {
    // EACCES: no group of this program's is within net.ipv4.ping_group_range. Others: the kernel has no such sockets.
    if (!(error instanceof b.SocketError)) throw error;
    return { socket: b.socket(family, b.SOCK_RAW, protocol), isRaw: true };
  }
}

/** Asks one host. */
export class EchoSocket implements Disposable {
  readonly isRaw: boolean;
  readonly #socket: Socket;
  readonly #address: Address;
  readonly #isIpv6: boolean;
  readonly #payload: Buffer;
  /** A raw socket sees everybody's messages; of a ping socket the kernel has an identifier of its own. */
  readonly #id: number = randomBytes(2).readUInt16BE();
  /** When requests left, by their sequence numbers: 16 bits of them. */
  readonly #leftAt: Map<number, bigint> = new Map();
  /** Whether every send went, so that the kernel's numbers are ours less one. */
  #isNumbered = true;

  /**
   * @param address  whom to ask, by number.
   * @param bytes    data of each request.
   * @throws {SocketError} EPERM: this program may have no such socket.
   */
  constructor(family: number, address: Address, bytes: number) {
    const { socket, isRaw } = openSocket(family);
    this.#socket = socket;
    this.isRaw = isRaw;
    this.#address = address;
    this.#isIpv6 = family === b.AF_INET6;
    this.#payload = makePayload(bytes);
    try {
      const { options } = socket;
      options.SO_TIMESTAMPING = TIMES;
      if (this.#isIpv6) {
        options.IPV6_RECVHOPLIMIT = true;
        options.IPV6_RECVERR = true;
        if (isRaw) options.ICMPV6_FILTER = [b.ICMPV6_ECHO_REPLY];
      } else {
        options.IP_RECVTTL = true;
        options.IP_RECVERR = true;
        if (isRaw) options.ICMP_FILTER = [b.ICMP_ECHOREPLY];
      }
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }

  /** Sends a request; their sequence numbers are 1, 2, 3 …. @throws {SocketError} as sendto. */
  async send(sequence: number, signal: AbortSignal): Promise<void> {
    const message = Buffer.concat([Buffer.alloc(HEADER_BYTES), this.#payload]);
    message.writeUInt8(this.#isIpv6 ? b.ICMPV6_ECHO_REQUEST : b.ICMP_ECHO, 0);
    message.writeUInt16BE(this.#id, 4);
    message.writeUInt16BE(sequence & 0xffff, 6);
    // Of ICMPv6 the kernel computes the checksum, which covers the addresses.
    if (!this.#isIpv6) message.writeUInt16BE(internetChecksum(message), 2);
    const send = (): Promise<unknown> => this.#socket.sendto(message, this.#address, { signal });
    try {
      await send().catch((error: unknown) => {
        // What an earlier request met with is told once: then this one has not been sent.
        if (!isToldBeside(error)) throw error;
        return send();
      });
    } catch (error) {
      this.#isNumbered = false;
      throw error;
    }
  }

  /** The next reply to one of our requests, waiting for it; whatever else comes by is left out. */
  async receive(signal: AbortSignal): Promise<Answer> {
    for (;;) {
      const received = await this.#receive(signal);
      if (received === undefined) continue;
      const [packet, ancdata, , address] = received;
      // Raw sockets of IPv4 give the header of IP too.
      const header = this.isRaw && !this.#isIpv6 ? ((packet[0] ?? 0) & 15) * 4 : 0;
      const message = packet.subarray(header);
      if (message.length !== HEADER_BYTES + this.#payload.length) continue;
      if (message[0] !== (this.#isIpv6 ? b.ICMPV6_ECHO_REPLY : b.ICMP_ECHOREPLY)) continue;
      if (!this.#isOurs(message) || !message.subarray(HEADER_BYTES).equals(this.#payload)) continue;
      const fields = b.decode_ancillary(ancdata);
      const sequence = message.readUInt16BE(6);
      return {
        kind: "reply",
        sequence,
        bytes: message.length,
        from: hostOf(address),
        hops: fields.IP_TTL ?? fields.IPV6_HOPLIMIT,
        ms: await this.#msSince(sequence, fields.SCM_TIMESTAMPING?.software),
      };
    }
  }

  /** How long before `arrivedAt` the request left; what says so may come by in the same turn of the loop. */
  async #msSince(sequence: number, arrivedAt: bigint | undefined): Promise<number | undefined> {
    if (arrivedAt === undefined) return undefined;
    if (!this.#leftAt.has(sequence)) await setImmediate();
    const leftAt = this.#leftAt.get(sequence);
    return leftAt === undefined ? undefined : Number(arrivedAt - leftAt) / 1e6;
  }

  async #receive(signal: AbortSignal): Promise<b.ReceivedMessage | undefined> {
    try {
      return await this.#socket.recvmsg(MESSAGE_BYTES_MAX, CONTROL_BYTES, 0, { signal });
    } catch (error) {
      if (!isToldBeside(error)) throw error;
      return undefined;
    }
  }

  /** The next word of somebody who could not pass a request of ours on, waiting for it. */
  async refused(signal: AbortSignal): Promise<Answer> {
    for (;;) {
      const refusal = await this.#socket.recv_error({ signal });
      const { error, fields } = refusal;
      if (error.origin === b.SO_EE_ORIGIN_TIMESTAMPING) {
        const leftAt = fields.SCM_TIMESTAMPING?.software;
        if (leftAt !== undefined && this.#isNumbered) this.#leftAt.set((error.data + 1) & 0xffff, leftAt);
        continue;
      }
      const message = quotedMessage(refusal);
      if (message.length < HEADER_BYTES || !this.#isOurs(message)) continue;
      return {
        kind: "refusal",
        sequence: message.readUInt16BE(6),
        from: error.offender === null ? "this machine" : hostOf(error.offender),
        problem: describeIcmp(error),
      };
    }
  }

  #isOurs(message: Buffer): boolean {
    return !this.isRaw || message.readUInt16BE(4) === this.#id;
  }
}

/** The request that an error is about: of a raw socket of IPv6 the whole packet is quoted, else what follows IP's header. */
function quotedMessage({ data }: ErrorMessage): Buffer {
  const IPV6_HEADER_BYTES = 40;
  return (data[0] ?? 0) >> 4 === 6 ? data.subarray(IPV6_HEADER_BYTES) : data;
}

/** "192.0.2.1", "fe80::1%eth0". */
export function hostOf([host, , , scope = 0]: Address | readonly [string, number]): string {
  if (scope === 0) return host;
  try {
    return `${host}%${b.if_indextoname(scope)}`;
  } catch {
    return `${host}%${scope}`; // the interface has gone
  }
}
