// Receives of a stream that go on until all that was asked for is there: MSG_WAITALL, recv(2). The kernel cannot do it
// for calls that never wait, so each attempt takes what there is, and the operation goes on.
//
// Why what has come is delivered when time, a signal or close() ends the wait, and not an error: the bytes are taken from
// the kernel, and only a result can hand them over. So it is in C. When the connection fails the error says so and has
// them: as a short result it would look like the peer's end.

import { Operation } from "../engine/operation.ts";
import type { Owner } from "../engine/operation.ts";
import {
  EAGAIN,
  EFAULT,
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  MSG_OOB,
  MSG_PEEK,
  MSG_TRUNC,
  MSG_WAITALL,
} from "../constants/index.ts";
import { CREDIT_SHIFT, SCRATCH_BYTES, ownCopy } from "./transfers.ts";
import type { Transferring } from "./transfers.ts";

const bit = (flag: number): number => (flag > 0 ? flag : 0);
const ALL = bit(MSG_WAITALL);
/** With these it is as without MSG_WAITALL: what is there is neither taken nor waited for, or not wanted. */
const OTHERS = bit(MSG_DONTWAIT) | bit(MSG_ERRQUEUE) | bit(MSG_OOB) | bit(MSG_PEEK) | bit(MSG_TRUNC);

/** Whether a receive of a stream with these flags waits for all. */
export function waitsForAll(flags: number): boolean {
  return (flags & ALL) !== 0 && (flags & OTHERS) === 0;
}

/** The socket, for the errors of one receive: they have what had come before. */
class Receiver implements Owner {
  readonly socket: Transferring;
  receive: ReceiveAll<unknown> | undefined = undefined;

  constructor(socket: Transferring) {
    this.socket = socket;
  }

  failure(syscall: string, result: number): Error {
    return Object.assign(this.socket.failure(syscall, result), this.receive?.come());
  }

  expiry(syscall: string, ms: number): Error {
    return this.socket.expiry(syscall, ms);
  }
}

/** A receive that goes on until all is there. */
abstract class ReceiveAll<T> extends Operation<T> {
  readonly socket: Transferring;
  readonly size: number;
  readonly #flags: number;
  protected count = 0;

  constructor(socket: Transferring, size: number, flags: number) {
    const owner = new Receiver(socket);
    super(owner);
    owner.receive = this as ReceiveAll<unknown>;
    this.socket = socket;
    this.size = size;
    this.#flags = flags & ~ALL;
  }

  get syscall(): string {
    return "recv";
  }

  attempt(): number {
    const { descriptor, engine } = this.socket;
    const { calls } = engine.backend;
    while (this.count < this.size) {
      if (engine.credit <= 0) return -EAGAIN;
      const [view, from] = this.room();
      const length = Math.min(view.length - from, this.size - this.count);
      if (length <= 0) return -EFAULT; // given away or shrunk while it waited
      const count = calls.recv(descriptor.fd, view, from, length, this.#flags);
      if (count < 0) return count;
      if (count === 0) break; // the end
      engine.credit -= 1 + (count >> CREDIT_SHIFT);
      this.count += count;
    }
    return this.count;
  }

  override salvage(): number {
    return this.count > 0 ? this.count : -1;
  }

  /** Where the next bytes go: memory with room, and where that begins. */
  protected abstract room(): [view: Uint8Array, from: number];

  /** What an error says of the bytes that came before it. */
  abstract come(): object;
}

/** recv with MSG_WAITALL. Its memory grows with what comes, not with what is asked for. */
export class ReceiveAllNew extends ReceiveAll<Buffer> {
  #memory: Buffer = Buffer.alloc(0);

  protected room(): [Buffer, number] {
    if (this.count === this.#memory.length) {
      const larger = Buffer.allocUnsafeSlow(Math.min(this.size, Math.max(2 * this.count, SCRATCH_BYTES)));
      this.#memory.copy(larger);
      this.#memory = larger;
    }
    return [this.#memory, this.count];
  }

  value(count: number): Buffer {
    // Memory of its own, and no more than it needs.
    return count === this.#memory.length ? this.#memory : ownCopy(this.#memory.subarray(0, count));
  }

  come(): object {
    return this.count === 0 ? {} : { bytesReceived: this.count, data: this.value(this.count) };
  }
}

/** recv_into with MSG_WAITALL. */
export class ReceiveAllInto extends ReceiveAll<number> {
  readonly #view: Uint8Array;

  constructor(socket: Transferring, view: ArrayBufferView, size: number, flags: number) {
    super(socket, size, flags);
    this.#view = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  }

  protected room(): [Uint8Array, number] {
    return [this.#view, this.count];
  }

  value(count: number): number {
    return count;
  }

  come(): object {
    return this.count === 0 ? {} : { bytesReceived: this.count };
  }
}
