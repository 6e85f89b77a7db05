// The errors that the socket layer throws, all made here: from a result of a system call (SocketError), from a name
// lookup (AddressError), from a timeout (TimeoutError); those of misuse (TypeError and RangeError with a code) are of
// wire/misuse.ts. Which call failed and where, its callers say.

import { formatAddress } from "./address/format.ts";
import type { AnyAddress } from "./address/types.ts";
import { ETIMEDOUT } from "../constants/errors.ts";
import { EAI_SYSTEM } from "../constants/names.ts";
import { describeErrno, describeGai, describeHost } from "./errno.ts";
import type { ErrorText } from "./errno.ts";

export { invalidArgument, invalidState, outOfRange } from "../wire/misuse.ts";

/** What an error tells besides its number. All of it is optional. */
export interface ErrorDetails {
  /** The socket's own address. */
  local?: AnyAddress | undefined;
  /** The peer's address. */
  remote?: AnyAddress | undefined;
  /** What may help, appended to the message: "it needs CAP_NET_RAW". */
  hint?: string | undefined;
  /** Bytes that the kernel took before the failure. */
  bytesSent?: number | undefined;
  /** Datagrams that the kernel took before the failure. */
  datagramsSent?: number | undefined;
  /** Words in place of the system's own for the errno. */
  text?: string | undefined;
}

function ends({ local, remote }: ErrorDetails): string {
  if (local === undefined) return remote === undefined ? "" : ` (→ ${formatAddress(remote)})`;
  return remote === undefined
    ? ` (${formatAddress(local)})`
    : ` (${formatAddress(local)} → ${formatAddress(remote)})`;
}

function message(syscall: string, { code, text: system }: ErrorText, details: ErrorDetails): string {
  const { bytesSent, datagramsSent, hint, text = system } = details;
  let sent = bytesSent === undefined ? "" : `, after ${bytesSent} bytes were sent`;
  if (datagramsSent !== undefined) sent = `, after ${datagramsSent} datagrams were sent`;
  return `${syscall} ${code}: ${text}${sent}${ends(details)}${hint === undefined ? "" : `; ${hint}`}`;
}

/**
 * A system call failed.
 *
 * `code` is the name of its errno as man pages have it (errno(3)): ECONNREFUSED, EADDRINUSE, EBADF …; also
 * ECANCELED: the socket was closed while the call waited, and EAGAIN: a non-blocking call would have waited.
 * The message reads `recv ECONNRESET: connection reset by peer (127.0.0.1:4242 → 10.0.0.1:25)`.
 */
export class SocketError extends Error {
  static {
    SocketError.prototype.name = "SocketError";
  }
  /** The errno's name, "ECONNREFUSED"; "errno 999" where the system has no name for it. */
  readonly code: string;
  /** The errno, positive; the same number as the constant of that name. */
  readonly errno: number;
  /** The call that failed, as in its man page: "connect". */
  readonly syscall: string;
  /** The socket's own address, where it is known. */
  declare readonly local?: AnyAddress;
  /** The peer's address, where it is known. */
  declare readonly remote?: AnyAddress;
  /** Bytes that the kernel took before the failure (sendall, sendfile). */
  declare readonly bytesSent?: number;
  /** Datagrams that the kernel took before the one that failed, which is the next (sendmmsg). */
  declare readonly datagramsSent?: number;
  /** Bytes that had come before the failure (recv and recv_into with MSG_WAITALL). */
  declare readonly bytesReceived?: number;
  /** These bytes (recv with MSG_WAITALL). */
  declare readonly data?: Buffer;

  /**
   * @param syscall  the call that failed.
   * @param result   what it returned: -errno.
   * @param details  addresses, a hint, progress.
   */
  constructor(syscall: string, result: number, details: ErrorDetails = {}) {
    const errno = -result;
    const described = describeErrno(errno);
    super(message(syscall, described, details));
    this.code = described.code;
    this.errno = errno;
    this.syscall = syscall;
    if (details.local !== undefined) this.local = details.local;
    if (details.remote !== undefined) this.remote = details.remote;
    if (details.bytesSent !== undefined) this.bytesSent = details.bytesSent;
    if (details.datagramsSent !== undefined) this.datagramsSent = details.datagramsSent;
  }
}

/**
 * The time that settimeout() gives was up. `code` is ETIMEDOUT, as when the kernel gives up; `name` tells them apart.
 * No byte is lost: what arrives later is there for the next call.
 */
export class TimeoutError extends SocketError {
  static {
    TimeoutError.prototype.name = "TimeoutError";
  }
  /** The timeout, in seconds. */
  readonly seconds: number;

  /**
   * @param syscall  the call that waited.
   * @param seconds  how long it was let wait.
   * @param details  addresses, a hint, progress.
   */
  constructor(syscall: string, seconds: number, details: ErrorDetails = {}) {
    super(syscall, -ETIMEDOUT, { text: `timed out after ${seconds} s`, ...details });
    this.seconds = seconds;
  }
}

/**
 * A name or address was not found. `code` is one of
 * - EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_NODATA, EAI_FAMILY, EAI_SERVICE, EAI_SOCKTYPE, EAI_BADFLAGS, EAI_ADDRFAMILY,
 *   EAI_MEMORY, EAI_OVERFLOW: getaddrinfo(3), getnameinfo(3);
 * - HOST_NOT_FOUND, TRY_AGAIN, NO_RECOVERY, NO_DATA: the gethostby functions, gethostbyname(3);
 * - ENOENT: a table (services, protocols) has no such entry;
 * - an errno's name where the lookup itself failed (EAI_SYSTEM): EMFILE, ENFILE …
 */
export class AddressError extends Error {
  static {
    AddressError.prototype.name = "AddressError";
  }
  /** EAI_*, an h_errno's name, or an errno's name. */
  readonly code: string;
  /** The number of `code`: negative for EAI_* on Linux, positive otherwise. */
  readonly errno: number;
  /** The call that failed: "getaddrinfo". */
  readonly syscall: string;
  /** What was looked up, where there is one name for it. */
  declare readonly hostname?: string;

  private constructor(syscall: string, errno: number, { code, text }: ErrorText, name: string | undefined) {
    super(`${syscall} ${code}: ${text}${name === undefined ? "" : ` (${name})`}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    if (name !== undefined) this.hostname = name;
  }

  /** From what getaddrinfo(3) or getnameinfo(3) returned; `errno` is what EAI_SYSTEM points to. */
  static gai(syscall: string, code: number, name?: string, errno = 0): AddressError {
    if (code === EAI_SYSTEM && errno !== 0) return AddressError.errno(syscall, errno, name);
    return new AddressError(syscall, code, describeGai(code), name);
  }

  /** From an h_errno. */
  static host(syscall: string, code: number, name?: string): AddressError {
    return new AddressError(syscall, code, describeHost(code), name);
  }

  /** From an errno. */
  static errno(syscall: string, errno: number, name?: string, text?: string): AddressError {
    const described = describeErrno(errno);
    return new AddressError(syscall, errno, text === undefined ? described : { ...described, text }, name);
  }
}
