// What stands behind sockets that block. They share the classes of those that do not, and these want an engine; but no
// call of theirs ever parks, so this one has the kernel's calls and nothing else: no poller, no hook in the event loop.

import { NEVER } from "../engine/backend.ts";
import type { Backend } from "../engine/backend.ts";
import { Engine } from "../engine/engine.ts";
import { native } from "../native.ts";
import { ENOSYS } from "../constants/index.ts";

const backend: Backend = {
  name: "blocking",
  calls: native,
  pollers: native,
  watch: () => -ENOSYS,
  change: () => -ENOSYS,
  forget: () => undefined,
  take: () => 0,
  start: () => undefined,
  ref: () => undefined,
  unref: () => undefined,
  now: () => performance.now(),
  setTimer: () => NEVER,
  clearTimer: () => undefined,
  nextTurn: (callback) => void setImmediate(callback),
};

class BlockingEngine extends Engine {
  /** Set by a call whose time begins anew. */
  prolonged = false;

  override prolong(): void {
    this.prolonged = true;
  }
}

/** The engine of this thread's blocking sockets. */
export const blockingEngine: BlockingEngine = new BlockingEngine(backend);
