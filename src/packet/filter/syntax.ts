// Filter expressions, read into a tree: `tcp port 80 and host 10.0.0.1`. The language is a part of libpcap's
// (pcap-filter(7)): protocols, hosts, networks, ports, lengths, and how they are combined. It knows no packets.
//
//   expression = not { ("and" | "or") not }        not = "not" not | primary
//   primary    = "(" expression ")" | [protocol] [direction] kind value | protocol | value
//
// As there, "and" and "or" bind alike and from the left, and a value alone takes the kind, direction and protocol of the
// value before it: `port 80 or 443`.

import { parseIPv4, parseIPv6 } from "../../socket/address/text.ts";
import { u32 } from "../bytes.ts";
import { FilterError } from "./error.ts";

/** Expressions may be typed by strangers: their length bounds the depth and the size of all that follows. */
const EXPRESSION_CHARACTERS_MAX = 4096;
const DEPTH_MAX = 64;

/** A protocol that a packet may be. */
export type Protocol = "ip" | "ip6" | "arp" | "rarp" | "tcp" | "udp" | "sctp" | "icmp" | "icmp6" | "igmp";
const PROTOCOLS: ReadonlySet<string> = new Set([
  "ip",
  "ip6",
  "arp",
  "rarp",
  "tcp",
  "udp",
  "sctp",
  "icmp",
  "icmp6",
  "igmp",
]);

/** Those that have addresses of hosts in their headers. */
export type Addressed = "ip" | "ip6" | "arp" | "rarp";
const ADDRESSED: Readonly<Record<Addressed, true>> = { ip: true, ip6: true, arp: true, rarp: true };

/** Those that have ports. */
export type Ported = "tcp" | "udp" | "sctp";
const PORTED: Readonly<Record<Ported, true>> = { tcp: true, udp: true, sctp: true };

/** Which end must match. */
export type Direction = "src" | "dst" | "src or dst" | "src and dst";

/** A network of either family: the first bits of an address, as 32-bit words. */
export interface Network {
  readonly family: 4 | 6;
  readonly words: readonly number[];
  readonly masks: readonly number[];
}

/** A filter as a tree. */
export type Filter =
  | { readonly is: "and" | "or"; readonly left: Filter; readonly right: Filter }
  | { readonly is: "not"; readonly of: Filter }
  | { readonly is: "protocol"; readonly protocol: Protocol }
  | { readonly is: "ipProtocol"; readonly version: "ip" | "ip6"; readonly number: number }
  | {
      readonly is: "network";
      readonly within: Addressed | undefined;
      readonly direction: Direction;
      readonly network: Network;
    }
  | {
      readonly is: "port";
      readonly within: Ported | undefined;
      readonly direction: Direction;
      readonly from: number;
      readonly to: number;
    }
  | { readonly is: "ether"; readonly direction: Direction; readonly address: readonly number[] }
  | { readonly is: "length"; readonly least: number; readonly most: number };

type Kind = "host" | "net" | "port" | "portrange" | "proto" | "ether";

/** What a value alone takes over from the one before it. */
interface Qualifiers {
  readonly protocol: Protocol | undefined;
  readonly direction: Direction;
  readonly kind: Kind;
}

interface Word {
  readonly text: string;
  readonly position: number;
}

function wordsOf(expression: string): Word[] {
  const words: Word[] = [];
  for (const match of expression.matchAll(/&&|\|\||[()!]|[^\s()!&|]+|[&|]/g))
    words.push({ text: match[0], position: match.index });
  return words;
}

class Parser {
  readonly #expression: string;
  readonly #words: readonly Word[];
  #next = 0;
  #depth = 0;
  #last: Qualifiers | undefined;

  constructor(expression: string) {
    this.#expression = expression;
    this.#words = wordsOf(expression);
  }

  filter(): Filter {
    const filter = this.#combined();
    const left = this.#words[this.#next];
    if (left !== undefined) throw this.#error(`"${left.text}" is not expected`, left);
    return filter;
  }

  #peek(): string | undefined {
    return this.#words[this.#next]?.text;
  }

  #take(...texts: string[]): boolean {
    const found = texts.includes(this.#peek() ?? "");
    if (found) this.#next++;
    return found;
  }

  /** At a word; by default at the one that was just taken. */
  #error(problem: string, word: Word | undefined = this.#words[this.#next - 1]): FilterError {
    return new FilterError(this.#expression, word?.position ?? this.#expression.length, problem);
  }

  #word(what: string): Word {
    const word = this.#words[this.#next];
    if (word === undefined)
      throw new FilterError(this.#expression, this.#expression.length, `${what} is missing`);
    this.#next++;
    return word;
  }

  #combined(): Filter {
    let left = this.#not();
    for (;;) {
      if (this.#take("and", "&&")) left = { is: "and", left, right: this.#not() };
      else if (this.#take("or", "||")) left = { is: "or", left, right: this.#not() };
      else return left;
    }
  }

  #not(): Filter {
    if (++this.#depth > DEPTH_MAX)
      throw this.#error(`deeper than ${DEPTH_MAX} levels`, this.#words[this.#next]);
    try {
      if (this.#take("not", "!")) return { is: "not", of: this.#not() };
      if (!this.#take("(")) return this.#primary();
      const inside = this.#combined();
      if (!this.#take(")"))
        throw new FilterError(
          this.#expression,
          this.#words[this.#next]?.position ?? this.#expression.length,
          '")" is missing',
        );
      return inside;
    } finally {
      this.#depth--;
    }
  }

  #primary(): Filter {
    if (this.#take("greater")) return { is: "length", least: this.#number(0xffff_ffff), most: Infinity };
    if (this.#take("less")) return { is: "length", least: 0, most: this.#number(0xffff_ffff) };
    const protocol = this.#protocol();
    const ether = protocol === undefined && this.#take("ether");
    const direction = this.#direction();
    const kind: Kind | undefined = ether ? this.#etherKind() : this.#kind();
    if (kind !== undefined) {
      this.#last = { protocol, direction: direction ?? "src or dst", kind };
      return this.#value(this.#last);
    }
    if (direction !== undefined) {
      this.#last = { protocol, direction, kind: "host" };
      return this.#value(this.#last);
    }
    if (protocol !== undefined) return { is: "protocol", protocol };
    const word = this.#word("a primitive");
    if (!/^[0-9a-f.:/-]+$/i.test(word.text)) throw this.#error(`"${word.text}" is not known`, word);
    if (this.#last === undefined)
      throw this.#error(`"${word.text}" needs "host", "net" or "port" before it`, word);
    this.#next--;
    return this.#value(this.#last);
  }

  #protocol(): Protocol | undefined {
    const word = this.#peek();
    if (word === undefined || !PROTOCOLS.has(word)) return undefined;
    this.#next++;
    return word as Protocol;
  }

  #direction(): Direction | undefined {
    const [first, how, second] = this.#words.slice(this.#next, this.#next + 3).map(({ text }) => text);
    if (first !== "src" && first !== "dst") return undefined;
    if ((how === "or" || how === "and") && (second === "src" || second === "dst") && second !== first) {
      this.#next += 3;
      return `src ${how} dst`;
    }
    this.#next++;
    return first;
  }

  #kind(): Kind | undefined {
    for (const kind of ["host", "net", "port", "portrange", "proto"] as const)
      if (this.#take(kind)) return kind;
    return undefined;
  }

  #etherKind(): Kind {
    this.#take("host");
    return "ether";
  }

  #number(max: number): number {
    const word = this.#word("a number");
    const value = /^(?:\d+|0x[0-9a-f]+)$/i.test(word.text) ? Number(word.text) : Number.NaN;
    if (!(value <= max)) throw this.#error(`"${word.text}" is no number from 0 to ${max}`, word);
    return value;
  }

  #value({ kind, protocol: within, direction }: Qualifiers): Filter {
    switch (kind) {
      case "host":
      case "net":
        if (within !== undefined && !(within in ADDRESSED))
          throw this.#error(`${within} has no addresses: write "${within} and ${kind} …"`);
        return { is: "network", within: within as Addressed, direction, network: this.#network(kind) };
      case "port": {
        this.#checkPorts(within, kind);
        const port = this.#number(65_535);
        return { is: "port", within: within as Ported, direction, from: port, to: port };
      }
      case "portrange":
        this.#checkPorts(within, kind);
        return { is: "port", within: within as Ported, direction, ...this.#range() };
      case "proto": {
        if (within !== "ip" && within !== "ip6") throw this.#error('"proto" needs "ip" or "ip6" before it');
        return { is: "ipProtocol", version: within, number: this.#number(255) };
      }
      case "ether":
        return { is: "ether", direction, address: this.#linkAddress() };
      default:
        return kind satisfies never;
    }
  }

  #checkPorts(within: Protocol | undefined, kind: Kind): void {
    if (within !== undefined && !(within in PORTED))
      throw this.#error(`${within} has no ports: write "${within} and ${kind} …"`);
  }

  #range(): { from: number; to: number } {
    const word = this.#word("a range of ports");
    const [, from, to] = /^(\d{1,5})-(\d{1,5})$/.exec(word.text) ?? [];
    const ends = { from: Number(from), to: Number(to) };
    if (!(ends.from <= ends.to && ends.to <= 65_535))
      throw this.#error(`"${word.text}" is no range of ports`, word);
    return ends;
  }

  #linkAddress(): readonly number[] {
    const word = this.#word("a link-layer address");
    if (!/^[0-9a-f]{1,2}(?::[0-9a-f]{1,2}){5}$/i.test(word.text))
      throw this.#error(`"${word.text}" is no link-layer address`, word);
    return word.text.split(":").map((part) => Number.parseInt(part, 16));
  }

  #network(kind: "host" | "net"): Network {
    const word = this.#word(kind === "host" ? "an address" : "a network");
    const network = networkOf(word.text, kind === "net");
    if (network === undefined)
      throw this.#error(`"${word.text}" is no ${kind === "host" ? "numeric address" : "network"}`, word);
    if (network === "host bits") throw this.#error(`"${word.text}" has bits set beyond its prefix`, word);
    return network;
  }
}

function maskWord(bits: number): number {
  return bits <= 0 ? 0 : bits >= 32 ? 0xffff_ffff : (0xffff_ffff << (32 - bits)) >>> 0;
}

/** "10.0.0.1", "10.0.0.0/8", "10.1" (a network of 16 bits), "fd00::1", "fd00::/8". */
function networkOf(text: string, isNet: boolean): Network | "host bits" | undefined {
  const [address = "", prefix] = text.split("/");
  if (prefix !== undefined && (!isNet || !/^\d{1,3}$/.test(prefix))) return undefined;
  if (address.includes(":")) {
    const bytes = new Uint8Array(16);
    if (!parseIPv6(address, bytes, 0)) return undefined;
    const words = [0, 4, 8, 12].map((at) => u32(bytes, at));
    return masked(6, words, prefix === undefined ? 128 : Number(prefix), 128);
  }
  const given = address.split(".").length;
  const whole = isNet && given < 4 ? address + ".0".repeat(4 - given) : address;
  const word = parseIPv4(whole);
  if (word < 0) return undefined;
  const bits = prefix !== undefined ? Number(prefix) : isNet ? given * 8 : 32;
  return masked(4, [word], bits, 32);
}

function masked(
  family: 4 | 6,
  words: readonly number[],
  bits: number,
  max: number,
): Network | "host bits" | undefined {
  if (bits > max) return undefined;
  const masks = words.map((_, index) => maskWord(bits - index * 32));
  const outside = words.some((word, index) => (word & ~(masks[index] as number)) !== 0);
  return outside ? "host bits" : { family, words, masks };
}

/**
 * Reads a filter expression.
 *
 * @throws {FilterError} ERR_FILTER_SYNTAX, with the place. An empty expression is one too.
 * @see pcap-filter(7)
 */
export function parseFilter(expression: string): Filter {
  if (expression.length > EXPRESSION_CHARACTERS_MAX)
    throw new FilterError(
      expression,
      EXPRESSION_CHARACTERS_MAX,
      `longer than ${EXPRESSION_CHARACTERS_MAX} characters`,
    );
  return new Parser(expression).filter();
}
