// Why a server ended a connection. It knows no server: who throws one says what happened.

import { formatAddress } from "../socket/address/format.ts";
import type { AnyAddress } from "../index.ts";

/**
 * - ERR_IDLE_TIMEOUT: the connection waited for its peer for idleTimeoutMs, and no byte moved.
 * - ERR_TOTAL_TIMEOUT: it lasted for totalTimeoutMs.
 * - ERR_SERVER_STOPPED: the server shuts down, and the time to finish is up.
 * - ERR_ADDRESS_DENIED: its address is not let in (guard), or is no trusted proxy's (behindProxy).
 * - ERR_ADDRESS_CONNECTIONS: its address has as many connections as one may have (guard).
 */
export type ServerErrorCode =
  | "ERR_IDLE_TIMEOUT"
  | "ERR_TOTAL_TIMEOUT"
  | "ERR_SERVER_STOPPED"
  | "ERR_ADDRESS_DENIED"
  | "ERR_ADDRESS_CONNECTIONS";

/** A server ended a connection: the reason of its `signal`, and what its stream's calls fail with from then on. */
export class ServerError extends Error {
  static {
    ServerError.prototype.name = "ServerError";
  }
  readonly code: ServerErrorCode;
  /** The peer's address, where there is one. */
  declare readonly remote?: AnyAddress;

  constructor(code: ServerErrorCode, what: string, remote?: AnyAddress) {
    super(remote === undefined ? what : `${what} (${formatAddress(remote)})`);
    this.code = code;
    if (remote !== undefined) this.remote = remote;
  }
}
