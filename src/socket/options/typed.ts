// sock.options: every option by its name, with the type of its value. It turns a table's entries into properties and
// methods over getsockopt and setsockopt; what an option means is told in the tables, how its bytes lie in the codecs.
//
// Why names as properties. `sock.options.TCP_NODELAY = true` is what man pages say, with the level known and the value
// checked when the program is compiled. What cannot be read back is a verb and so a method:
// `sock.options.IP_ADD_MEMBERSHIP({ group: "239.1.1.1" })`.

import { SocketError } from "../errors.ts";
import { ENOPROTOOPT } from "../../constants/errors.ts";
import type { Definition, NamedOptions, Fact, Place } from "./definition.ts";
import { levelIn } from "./definition.ts";
import type { Reader } from "./struct.ts";
import { IpTable } from "./table-ip.ts";
import { Ipv6Table } from "./table-ipv6.ts";
import { NetlinkTable, PacketTable } from "./table-link.ts";
import { AlgTable, BluetoothTable, CanTable, ClusterTable, VsockTable } from "./table-other.ts";
import { SocketTable } from "./table-socket.ts";
import { TcpTable, UdpTable } from "./table-transport.ts";

/** What this file needs of a socket. */
export interface OptionCalls {
  readonly family: number;
  getsockopt(level: number, name: number, buflen: number): Buffer;
  setsockopt(level: number, name: number, value: Uint8Array): void;
  setsockopt(level: number, name: number, value: null, optlen: number): void;
  /** setsockopt with a struct sock_fprog that points to these instructions. */
  setProgram(level: number, name: number, instructions: Uint8Array): void;
}

/**
 * Options by name. Reading one is a getsockopt(2), setting one a setsockopt(2).
 *
 * @throws {SocketError} as getsockopt and setsockopt, with the option's name; ENOPROTOOPT also where this system does
 *   not know the name. @throws {TypeError} ERR_INVALID_ARG_TYPE, @throws {RangeError} ERR_OUT_OF_RANGE: the value.
 */
export interface TypedOptions
  extends NamedOptions<SocketTable>,
    NamedOptions<TcpTable>,
    NamedOptions<UdpTable>,
    NamedOptions<IpTable>,
    NamedOptions<Ipv6Table>,
    NamedOptions<PacketTable>,
    NamedOptions<NetlinkTable>,
    NamedOptions<VsockTable>,
    NamedOptions<CanTable>,
    NamedOptions<AlgTable>,
    NamedOptions<BluetoothTable>,
    NamedOptions<ClusterTable> {}

// Bluetooth's first: its levels are those of others, and its sockets know no others.
const tables: readonly object[] = [
  new BluetoothTable(),
  new SocketTable(),
  new TcpTable(),
  new UdpTable(),
  new IpTable(),
  new Ipv6Table(),
  new PacketTable(),
  new NetlinkTable(),
  new VsockTable(),
  new CanTable(),
  new AlgTable(),
  new ClusterTable(),
];

/** Every option that has a name here, and its definition. */
export const definitions: ReadonlyMap<string, Definition> = new Map(
  tables.flatMap((table) => Object.entries(table) as [string, Definition][]),
);

const NOTHING = new Uint8Array(4);

/** The level of an option; a name that this system or this family does not know is refused by name. */
function levelOf(socket: OptionCalls, name: string, place: Place, syscall: string): number {
  const level = levelIn(place, socket.family);
  if (level >= 0 && place.name >= 0) return level;
  const whose = place.name < 0 ? "this system" : `address family ${socket.family}`;
  throw new SocketError(syscall, -ENOPROTOOPT, { text: `${whose} has no option ${name}` });
}

class Options {
  readonly #socket: OptionCalls;

  constructor(socket: OptionCalls) {
    this.#socket = socket;
  }

  static read<T>(options: Options, name: string, place: Place, reader: Reader<T>): T {
    const socket = options.#socket;
    const level = levelOf(socket, name, place, "getsockopt");
    return reader.decode(socket.getsockopt(level, place.name, reader.room));
  }

  static write(options: Options, name: string, definition: Definition, value: unknown): void {
    const socket = options.#socket;
    const level = levelOf(socket, name, definition, "setsockopt");
    const { kind, name: number } = definition;
    if (kind === "option") socket.setsockopt(level, number, definition.codec.encode(value, name));
    else if (kind === "action") socket.setsockopt(level, number, definition.writer.encode(value, name));
    else if (kind === "program") socket.setProgram(level, number, definition.writer.encode(value, name));
    else if (kind === "length") socket.setsockopt(level, number, null, value as number);
    else socket.setsockopt(level, number, NOTHING);
  }
}

function property(name: string, definition: Definition): PropertyDescriptor {
  const write = function (this: Options, value: unknown): void {
    Options.write(this, name, definition, value);
  };
  const read = function (this: Options): unknown {
    const reader = "codec" in definition ? definition.codec : (definition as Fact<unknown>).reader;
    return Options.read(this, name, definition, reader);
  };
  switch (definition.kind) {
    case "option":
      return { get: read, set: write };
    case "fact":
      return { get: read };
    case "query":
      return { value: read };
    case "action":
    case "program":
    case "command":
    case "length":
      return { value: write };
    default:
      return definition satisfies never;
  }
}

for (const [name, definition] of definitions)
  Object.defineProperty(Options.prototype, name, property(name, definition));

/** The options of a socket. */
export function typedOptions(socket: OptionCalls): TypedOptions {
  return new Options(socket) as unknown as TypedOptions;
}
