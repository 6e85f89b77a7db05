// The first bytes of a connection along with its first segment: sendto with MSG_FASTOPEN, RFC 7413, tcp(7). Where the
// kernel has no cookie of the peer yet it begins an ordinary connection and takes no byte; the bytes then wait for it.

import { EAGAIN, EINPROGRESS, MSG_FASTOPEN } from "../constants/index.ts";
import { SendTo } from "./datagrams.ts";
import type { Destination, Messaging } from "./datagrams.ts";
import { transmit } from "./transfers.ts";

/** Whether a send with these flags opens a connection. */
export function opensConnection(flags: number): boolean {
  return MSG_FASTOPEN > 0 && (flags & MSG_FASTOPEN) !== 0;
}

/** sendto with MSG_FASTOPEN: connects, and sends what the kernel takes at once. */
export class SendFast extends SendTo {
  readonly #waits: boolean;
  #begun = false;

  /** @param waits  whether it may wait for the connection; otherwise it fails with EINPROGRESS, as connect() does. */
  constructor(socket: Messaging, bytes: Uint8Array, flags: number, to: Destination, waits: boolean) {
    super(socket, bytes, flags, to);
    this.#waits = waits;
  }

  override attempt(): number {
    const { socket, bytes, length, flags } = this;
    if (this.#begun) return transmit(socket, bytes, 0, length, flags & ~MSG_FASTOPEN);
    const count = super.attempt();
    if (count !== -EINPROGRESS || !this.#waits) return count;
    this.#begun = true;
    return -EAGAIN;
  }
}
