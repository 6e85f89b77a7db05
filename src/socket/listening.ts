// Listening, accepting and ending: listen, accept's one attempt, shutdown. Which class an accepted connection becomes,
// the faces above say.

import { READ } from "../engine/descriptor.ts";
import { AF_ALG, SOMAXCONN } from "../constants/index.ts";
import { decodeAddress } from "./address.ts";
import type { AnyAddress } from "./address.ts";
import { AddressedSocket } from "./addressed.ts";
import { addressView, checkInt, checkInteger } from "./base.ts";
import type { Face, FaceOptions, Outcome } from "./face.ts";

// Without an argument listen() asks for all that the system's headers name. CPython asks for min(SOMAXCONN, 128): with
// 128 a burst of 500 connects to a server that was busy for a moment left a fifth of the clients believing in connections
// that the server never had (SYN cookies). The kernel clamps it to net.core.somaxconn in any case.

/** A socket that may listen. */
export abstract class ListeningSocket<F extends Face = "async"> extends AddressedSocket<F> {
  /**
   * Makes the socket a listener.
   *
   * @param backlog  connections that may wait to be accepted; default SOMAXCONN. The system clamps it to
   *   net.core.somaxconn; below 0 is 0.
   * @throws {SocketError} EADDRINUSE, EOPNOTSUPP, EBADF.
   * @see listen(2)
   */
  listen(backlog: number = SOMAXCONN): void {
    const wanted = Math.max(0, checkInteger("backlog", backlog, -(2 ** 31), 2 ** 31 - 1));
    this.check("listen", this.engine.backend.calls.listen(this.open("listen"), wanted));
  }

  /**
   * Ends one or both directions. After SHUT_WR the peer reads its end and can still answer.
   *
   * @param how  SHUT_RD, SHUT_WR or SHUT_RDWR.
   * @throws {SocketError} ENOTCONN, EBADF; EINVAL: no such `how`.
   * @see shutdown(2)
   */
  shutdown(how: number): void {
    this.check("shutdown", this.engine.backend.calls.shutdown(this.open("shutdown"), checkInt("how", how)));
  }

  /** accept(), with the face's way to make a socket of a descriptor. @internal */
  protected acceptAs<S extends ListeningSocket<F>, A extends AnyAddress>(
    make: (fd: number) => S,
    options: FaceOptions<F> | undefined,
  ): Outcome<F, [S, A]> {
    // An algorithm has no address, and the kernel fails with ECONNABORTED when it is asked for one. CPython has None.
    const isNameless = this.family === AF_ALG;
    return this.waitFor(
      READ,
      "accept",
      () => {
        const { fd } = this.descriptor;
        const { calls } = this.engine.backend;
        return isNameless ? calls.accept_nameless(fd) : calls.accept(fd, addressView);
      },
      (fd): [S, A] => {
        try {
          const address = isNameless ? (null as unknown as A) : decodeAddress<A>(addressView, this.proto);
          const conn = make(fd);
          conn.remote = address ?? undefined;
          return [conn, address];
        } catch (error) {
          this.engine.backend.calls.close(fd);
          throw error;
        }
      },
      options,
    );
  }
}
