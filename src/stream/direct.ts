// Receiving and sending on a socket without a promise for each call, for who serves many connections with small messages.
// It knows sockets and the engine; whose bytes they are it does not know.
//
// How a turn goes. The engine tells which sockets can be read. When it has told all of them, each is received from once, into
// one memory that all share, and its bytes are taken at once; then each is told to send what came of that. So a connection
// that waits holds no memory to receive into and no promise, the memory stays in cache, and the kernel's receive path and
// its send path each run many times in a row, which was measured to be faster (engine/engine.ts).

import { EAGAIN, ECANCELED } from "../constants/index.ts";
import { READ } from "../engine/descriptor.ts";
import { FOREVER } from "../engine/engine.ts";
import { Operation } from "../engine/operation.ts";
import type { Socket } from "../socket/socket.ts";
import { receive } from "../socket/transfers.ts";
import type { Transferring } from "../socket/transfers.ts";

/** What one receive brings at most. */
export const DIRECT_BYTES = 65_536;

/** Where all that is received lands. */
const landing: Buffer = Buffer.allocUnsafeSlow(DIRECT_BYTES);

/** Who takes what is received. Nothing of it may throw. */
export interface Taker {
  /** So many bytes have come, 0 at the peer's end: they lie in `memory` from 0 on, until this returns. */
  arrived(memory: Buffer, count: number): void;
  /** The call failed, or the socket was closed here. */
  failed(error: unknown): void;
  /** All that were ready have received: what came of it may leave. Follows arrived() or failed(). */
  answer(): void;
}

let ready: DirectReceiver[] = [];
let isRunning = false;

function run(): void {
  if (isRunning) return;
  isRunning = true;
  const receivers = ready;
  ready = [];
  try {
    let told = 0;
    for (const receiver of receivers) if (receiver.take()) receivers[told++] = receiver;
    for (let at = 0; at < told; at++) receivers[at]?.taker.answer();
  } finally {
    isRunning = false;
    if (ready.length > 0) queueMicrotask(run);
  }
}

/** Waits until a socket can be read, again and again. */
export class DirectReceiver extends Operation<void> {
  declare readonly owner: Transferring;
  readonly taker: Taker;
  /** Why it does not wait any more: -errno. */
  #result = 0;

  constructor(socket: Socket, taker: Taker) {
    super(socket);
    this.taker = taker;
  }

  get syscall(): string {
    return "recv";
  }

  /** Receives once, when there is something; not again before that was taken. */
  receive(): void {
    const { descriptor, engine } = this.owner;
    if (descriptor.fd < 0) this.settle(-ECANCELED);
    else if (descriptor.readable && descriptor.reads === null && engine.credit > 0) {
      engine.credit--;
      this.settle(0);
    } else engine.enqueue(descriptor, READ, this, FOREVER, undefined);
  }

  /** Nothing yet: it is received when all that are ready are known. */
  attempt(): number {
    return 0;
  }

  value(): void {}

  override settle(result: number): void {
    this.#result = result;
    if (ready.push(this) === 1) queueMicrotask(run);
  }

  override fail(reason: unknown): void {
    this.taker.failed(reason);
  }

  /** Its turn to receive has come. @returns whether its taker was told something. */
  take(): boolean {
    const socket = this.owner;
    const { descriptor, engine } = socket;
    const result =
      this.#result < 0 || descriptor.fd < 0
        ? this.#result || -ECANCELED
        : receive(socket, landing, DIRECT_BYTES, 0);
    if (result === -EAGAIN) {
      engine.dry(descriptor, READ);
      engine.enqueue(descriptor, READ, this, FOREVER, undefined);
      return false;
    }
    if (result >= 0) this.taker.arrived(landing, result);
    else this.taker.failed(socket.failure("recv", result));
    return true;
  }
}
