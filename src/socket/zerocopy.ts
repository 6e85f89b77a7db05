// Sending without a copy: MSG_ZEROCOPY, msg_zerocopy.rst of Linux. The kernel pins the pages and reads them after the
// call; here is which memory it may still read, and how long that is held. How its word comes back, error-queue.ts knows.
//
// Memory is sound whatever happens: the pages are pinned, and a page that this process has given back stays the kernel's
// until it is done. But what is sent is what lies in them when the device, or a retransmission, reads them. Memory that
// went back to the allocator may have become somebody else's by then, and would go out to the peer. So it is held here,
// past an error, an abort and the socket's close.

import { Operation } from "../engine/operation.ts";
import type { Progress } from "../engine/operation.ts";
import { EAGAIN, EFAULT, ENOBUFS, MSG_ZEROCOPY } from "../constants/index.ts";
import type { Messaging } from "./datagrams.ts";
import { errorQueueOf } from "./error-queue.ts";
import type { Loan } from "./error-queue.ts";
import { numberOfSend } from "./send-numbers.ts";
import { CREDIT_SHIFT, HEAP_BYTES_MAX } from "./transfers.ts";

/**
 * How long memory is held when nobody will hear that it is back: as long as TCP may try to deliver, which tcp(7) gives as
 * 13 to 30 minutes (tcp_retries2).
 */
const HOLD_MS = 1_800_000;

/** What is held for want of word. */
const held = new Set<{ readonly bytes: Uint8Array }>();

/** A loan whose sending has ended otherwise than by its return. */
export function hold({ out }: Loan, bytes: Uint8Array): void {
  if (out === 0) return;
  const holding = { bytes };
  held.add(holding);
  setTimeout(() => held.delete(holding), HOLD_MS).unref();
}

/** The first half of send_zerocopy: everything, in as many calls as it takes. */
export class SendLent extends Operation<void> {
  readonly socket: Messaging;
  override readonly progress: Progress;
  readonly #bytes: Uint8Array;
  readonly #length: number;
  readonly #flags: number;
  readonly #loan: Loan;

  constructor(socket: Messaging, bytes: Uint8Array, flags: number, loan: Loan, progress: Progress) {
    super(socket);
    this.socket = socket;
    this.#bytes = bytes;
    this.#length = bytes.length;
    this.#flags = flags;
    this.#loan = loan;
    this.progress = progress;
  }

  get syscall(): string {
    return "send_zerocopy";
  }

  attempt(): number {
    const { progress, socket } = this;
    if (this.#bytes.length !== this.#length) return -EFAULT; // given away while it waited
    do {
      const count = this.#send(progress.bytes, this.#length - progress.bytes);
      if (count < 0) return count;
      socket.engine.credit -= count >> CREDIT_SHIFT;
      progress.bytes += count;
      if (progress.bytes === this.#length) return 0;
    } while (socket.engine.credit > 0);
    return -EAGAIN;
  }

  #send(offset: number, length: number): number {
    const { descriptor, engine } = this.socket;
    const { calls } = engine.backend;
    const flags = this.#flags | descriptor.kind.sendFlags;
    // The smallest arrays lie where V8 moves them.
    if (length > HEAP_BYTES_MAX) {
      const count = calls.send(descriptor.fd, this.#bytes, offset, length, flags | MSG_ZEROCOPY);
      if (count > 0) errorQueueOf(this.socket).lend(numberOfSend(descriptor), this.#loan);
      // No more may be pinned (net.core.optmem_max, RLIMIT_MEMLOCK): what is left is copied.
      if (count !== -ENOBUFS) return count;
    }
    this.#loan.copied = true;
    return calls.send(descriptor.fd, this.#bytes, offset, length, flags);
  }

  value(): void {}
}
