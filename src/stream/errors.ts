// The errors of this layer that are not the socket layer's: connecting failed at every address; the peer ended too early.
// What failed, their callers say.

import { EADDRNOTAVAIL, EAFNOSUPPORT, EHOSTUNREACH, ENETUNREACH, SocketError } from "../index.ts";
import type { AnyAddress } from "../index.ts";
import { formatAddress } from "../socket/address/format.ts";
import { RemoteProtocolError } from "../wire/errors.ts";

/** What only says that this machine has no way there: another attempt's error tells more. */
const NO_WAY: ReadonlySet<number> = new Set([ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, EAFNOSUPPORT]);

/** The error that tells most: the first that came from the other side, or else the first of all. */
function telling(errors: readonly SocketError[]): SocketError {
  return errors.find(({ errno }) => !NO_WAY.has(errno)) ?? (errors[0] as SocketError);
}

/**
 * No address of a host could be connected to. `code` and `remote` are those of the attempt that tells most, which is the
 * first that failed otherwise than for want of a route; `errors` has every attempt's, in the order of their end.
 */
export class ConnectError extends SocketError {
  static {
    ConnectError.prototype.name = "ConnectError";
  }
  /** Every attempt's error, 1 or more. */
  readonly errors: readonly SocketError[];

  /**
   * @param host    what was to be connected to.
   * @param errors  1 or more.
   */
  constructor(host: string, errors: readonly SocketError[]) {
    const { errno, syscall, remote } = telling(errors);
    const each = errors.map((error) => `${place(error.remote)} ${error.code}`).join(", ");
    const text = errors.length === 1 ? undefined : `no address of ${host} answered: ${each}`;
    super(syscall, -errno, { remote, text });
    this.errors = errors;
  }
}

const place = (address: AnyAddress | undefined): string =>
  address === undefined ? "?" : formatAddress(address);

/** The peer ended in the midst of something. `code` is ERR_UNEXPECTED_EOF. */
export class UnexpectedEofError extends RemoteProtocolError {
  static {
    UnexpectedEofError.prototype.name = "UnexpectedEofError";
  }
  /** What had come of it; it is not taken, and can still be read by other means. */
  readonly partial: Buffer;

  /**
   * @param message  inside of what.
   * @param partial  what had come.
   */
  constructor(message: string, partial: Buffer) {
    super("ERR_UNEXPECTED_EOF", message);
    this.partial = partial;
  }
}
