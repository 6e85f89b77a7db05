// A filter's tree as classic BPF: where in a packet each primitive looks. What matches is what libpcap matches for the
// same expression (pcap-filter(7)); the order of tests is ours. It makes no call.

import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_RARP,
  PROTOCOL_FRAGMENT,
  PROTOCOL_ICMP,
  PROTOCOL_ICMPV6,
  PROTOCOL_IGMP,
  PROTOCOL_SCTP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from "../numbers.ts";
import type { Instruction, Target } from "./assembler.ts";
import { load, loadHeaderLength, loadIndexed, loadLength, mask, Program } from "./assembler.ts";
import { FilterError } from "./error.ts";
import type { Addressed, Direction, Filter, Network, Protocol } from "./syntax.ts";
import { parseFilter } from "./syntax.ts";

/** BPF_MAXINSNS. */
const INSTRUCTIONS_MAX = 4096;
/** What tcpdump keeps of a packet: all of any that there is. */
const SNAP_BYTES = 262_144;
/** SKF_AD_OFF + SKF_AD_PROTOCOL: the EtherType, wherever the packet begins. linux/filter.h. */
const ANCILLARY_PROTOCOL = -0x1000;

/** What packets begin with: an Ethernet header, or what the EtherType announces (AF_PACKET with SOCK_DGRAM). */
export type LinkLayer = "ethernet" | "none";

const TRANSPORTS = [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP] as const;
const ETHERTYPES: Partial<Record<Protocol, number>> = {
  ip: ETHERTYPE_IPV4,
  ip6: ETHERTYPE_IPV6,
  arp: ETHERTYPE_ARP,
  rarp: ETHERTYPE_RARP,
};
const IP_PROTOCOLS: Partial<Record<Protocol, number>> = {
  tcp: PROTOCOL_TCP,
  udp: PROTOCOL_UDP,
  sctp: PROTOCOL_SCTP,
  icmp: PROTOCOL_ICMP,
  icmp6: PROTOCOL_ICMPV6,
  igmp: PROTOCOL_IGMP,
};

/** Adds the tests of one tree to a program. Each method gives the place where its tests begin. */
class Compiler {
  readonly program: Program = new Program();
  readonly #expression: string;
  readonly #link: LinkLayer;
  /** Where the network header begins. */
  readonly #network: number;

  constructor(expression: string, link: LinkLayer) {
    this.#expression = expression;
    this.#link = link;
    this.#network = link === "ethernet" ? 14 : 0;
  }

  filter(filter: Filter, yes: Target, no: Target): Target {
    switch (filter.is) {
      case "and":
        return this.filter(filter.left, this.filter(filter.right, yes, no), no);
      case "or":
        return this.filter(filter.left, yes, this.filter(filter.right, yes, no));
      case "not":
        return this.filter(filter.of, no, yes);
      case "protocol":
        return this.#protocol(filter.protocol, yes, no);
      case "ipProtocol":
        return filter.version === "ip"
          ? this.#ipv4(filter.number, yes, no)
          : this.#ipv6(filter.number, yes, no);
      case "network":
        return this.#hosts(filter.within, filter.direction, filter.network, yes, no);
      case "port":
        return this.#ports(filter, yes, no);
      case "ether":
        return this.#ether(filter.direction, filter.address, yes, no);
      case "length":
        return filter.most === Infinity
          ? this.program.test([loadLength], "greaterOrEqual", filter.least, yes, no)
          : this.program.test([loadLength], "greater", filter.most, no, yes);
      default:
        return filter satisfies never;
    }
  }

  #refuse(problem: string): FilterError {
    return new FilterError(this.#expression, 0, problem);
  }

  #etherType(type: number, yes: Target, no: Target): Target {
    const from = this.#link === "ethernet" ? load(2, 12) : load(4, ANCILLARY_PROTOCOL);
    return this.program.test([from], "equal", type, yes, no);
  }

  #ipv4(protocol: number, yes: Target, no: Target): Target {
    const found = this.program.test([load(1, this.#network + 9)], "equal", protocol, yes, no);
    return this.#etherType(ETHERTYPE_IPV4, found, no);
  }

  /** The first header, or that behind a fragment header: further ones are not searched. */
  #ipv6(protocol: number, yes: Target, no: Target): Target {
    const { program } = this;
    const first = [load(1, this.#network + 6)];
    const inFragment = program.test([load(1, this.#network + 40)], "equal", protocol, yes, no);
    const behind = program.test(first, "equal", PROTOCOL_FRAGMENT, inFragment, no);
    const found = program.test(first, "equal", protocol, yes, behind);
    return this.#etherType(ETHERTYPE_IPV6, found, no);
  }

  #protocol(protocol: Protocol, yes: Target, no: Target): Target {
    const type = ETHERTYPES[protocol];
    if (type !== undefined) return this.#etherType(type, yes, no);
    const number = IP_PROTOCOLS[protocol] as number;
    if (protocol === "icmp" || protocol === "igmp") return this.#ipv4(number, yes, no);
    const six = this.#ipv6(number, yes, no);
    return protocol === "icmp6" ? six : this.#ipv4(number, yes, six);
  }

  /** Both of two tests of the source and of the destination, or either. */
  #ends(
    direction: Direction,
    test: (end: "src" | "dst", yes: Target, no: Target) => Target,
    yes: Target,
    no: Target,
  ): Target {
    switch (direction) {
      case "src":
      case "dst":
        return test(direction, yes, no);
      case "src or dst":
        return test("src", yes, test("dst", yes, no));
      case "src and dst":
        return test("src", test("dst", yes, no), no);
      default:
        return direction satisfies never;
    }
  }

  #address(at: number, { words, masks }: Network, yes: Target, no: Target): Target {
    let next = yes;
    for (let index = words.length - 1; index >= 0; index--) {
      const bits = masks[index] as number;
      if (bits === 0) continue;
      const loads = [load(4, at + index * 4), ...(bits === 0xffff_ffff ? [] : [mask(bits)])];
      next = this.program.test(loads, "equal", words[index] as number, next, no);
    }
    return next;
  }

  #hosts(
    within: Addressed | undefined,
    direction: Direction,
    network: Network,
    yes: Target,
    no: Target,
  ): Target {
    const at = (source: number, destination: number, begin: Target, else_: Target): Target =>
      this.#ends(
        direction,
        (end, matches, not) =>
          this.#address(this.#network + (end === "src" ? source : destination), network, matches, not),
        begin,
        else_,
      );
    if (network.family === 6) {
      if (within !== undefined && within !== "ip6") throw this.#refuse(`${within} has no IPv6 addresses`);
      return this.#etherType(ETHERTYPE_IPV6, at(8, 24, yes, no), no);
    }
    if (within === "ip6") throw this.#refuse("ip6 has no IPv4 addresses");
    const four = (else_: Target): Target => this.#etherType(ETHERTYPE_IPV4, at(12, 16, yes, no), else_);
    const arp = (type: number, else_: Target): Target => this.#etherType(type, at(14, 24, yes, no), else_);
    if (within === "arp") return arp(ETHERTYPE_ARP, no);
    if (within === "rarp") return arp(ETHERTYPE_RARP, no);
    if (within === "ip") return four(no);
    return four(arp(ETHERTYPE_ARP, arp(ETHERTYPE_RARP, no)));
  }

  #ports(filter: Extract<Filter, { is: "port" }>, yes: Target, no: Target): Target {
    const { direction, from, to, within } = filter;
    const transports = within === undefined ? TRANSPORTS : [IP_PROTOCOLS[within] as number];
    const compare = (loads: readonly Instruction[], matches: Target, not: Target): Target =>
      from === to
        ? this.program.test(loads, "equal", from, matches, not)
        : this.program.test(
            loads,
            "greaterOrEqual",
            from,
            this.program.test(loads, "greater", to, not, matches),
            not,
          );
    const oneOf = (loads: readonly Instruction[], matches: Target): Target => {
      let next = no;
      for (const protocol of transports) next = this.program.test(loads, "equal", protocol, matches, next);
      return next;
    };
    const six = (else_: Target): Target => {
      const ports = this.#ends(
        direction,
        (end, matches, not) => compare([load(2, this.#network + (end === "src" ? 40 : 42))], matches, not),
        yes,
        no,
      );
      return this.#etherType(ETHERTYPE_IPV6, oneOf([load(1, this.#network + 6)], ports), else_);
    };
    const four = (else_: Target): Target => {
      const header = loadHeaderLength(this.#network);
      const ports = this.#ends(
        direction,
        (end, matches, not) =>
          compare([header, loadIndexed(2, this.#network + (end === "src" ? 0 : 2))], matches, not),
        yes,
        no,
      );
      // Only a first fragment has ports.
      const first = this.program.test([load(2, this.#network + 6)], "anyBit", 0x1fff, no, ports);
      return this.#etherType(ETHERTYPE_IPV4, oneOf([load(1, this.#network + 9)], first), else_);
    };
    return four(six(no));
  }

  #ether(direction: Direction, address: readonly number[], yes: Target, no: Target): Target {
    if (this.#link === "none") throw this.#refuse("packets of all interfaces have no Ethernet header");
    const [a, b, c, d, e, f] = address as [number, number, number, number, number, number];
    return this.#ends(
      direction,
      (end, matches, not) => {
        const at = end === "src" ? 6 : 0;
        const last = this.program.test([load(2, at + 4)], "equal", e * 256 + f, matches, not);
        const word = ((a * 256 + b) * 256 + c) * 256 + d;
        return this.program.test([load(4, at)], "equal", word, last, not);
      },
      yes,
      no,
    );
  }
}

/**
 * Compiles a filter expression to classic BPF, for `sock.options.SO_ATTACH_FILTER`.
 *
 * Known are `ip`, `ip6`, `arp`, `rarp`, `tcp`, `udp`, `sctp`, `icmp`, `icmp6`, `igmp`; `host`, `net`, `port`,
 * `portrange` with `src`, `dst`, `src or dst`, `src and dst` and one of those protocols before them; `ip proto`,
 * `ip6 proto`; `ether host`, `ether src`, `ether dst`; `greater`, `less`; and, or, not, parentheses. Addresses are
 * numeric.
 *
 * @param expression  as of pcap-filter(7), of which this is a part.
 * @param link        what packets begin with. Default "ethernet".
 * @returns instructions; they keep the whole of what matches.
 * @throws {FilterError} ERR_FILTER_SYNTAX, with the place; also where the program would be longer than 4096 instructions.
 */
export function compileFilter(expression: string, link: LinkLayer = "ethernet"): Instruction[] {
  const filter = parseFilter(expression);
  const compiler = new Compiler(expression, link);
  const { program } = compiler;
  const no = program.end(0);
  const yes = program.end(SNAP_BYTES);
  const instructions = program.instructions(compiler.filter(filter, yes, no));
  if (instructions.length > INSTRUCTIONS_MAX)
    throw new FilterError(expression, 0, `longer than ${INSTRUCTIONS_MAX} instructions`);
  return instructions;
}
