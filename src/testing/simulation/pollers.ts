// Level-triggered pollers over simulated descriptors, as epoll(7): what selectors are made of. A poller has a descriptor of
// its own, which is readable while one of those that it watches is ready.

import { EBADF, EEXIST, ENOENT } from "../../constants/index.ts";
import { EVENT_WORDS } from "../../engine/backend.ts";
import type { PollerCalls } from "../../engine/backend.ts";
import { READ, WRITE } from "../../engine/descriptor.ts";

/** What pollers must know of the descriptors around them. */
export interface PolledDescriptors {
  /** A number that no other descriptor has. */
  number(): number;
  /** Readiness bits that are true now; undefined: nobody has this number. */
  ready(fd: number): number | undefined;
  /** These bits became true of a poller. */
  tell(fd: number, bits: number): void;
  /** Nobody waits for the poller any more. */
  forget(fd: number): void;
}

/** The pollers of a simulation. */
export class SimulatedPollers implements PollerCalls {
  readonly #descriptors: PolledDescriptors;
  /** Of each poller, what it watches, and for which bits. */
  readonly #pollers = new Map<number, Map<number, number>>();

  constructor(descriptors: PolledDescriptors) {
    this.#descriptors = descriptors;
  }

  readiness_open(): number {
    const poller = this.#descriptors.number();
    this.#pollers.set(poller, new Map());
    return poller;
  }

  readiness_watch(poller: number, fd: number, bits: number): number {
    const watched = this.#pollers.get(poller);
    if (watched === undefined || this.#descriptors.ready(fd) === undefined) return -EBADF;
    if (watched.has(fd)) return -EEXIST;
    return this.#set(watched, fd, bits);
  }

  readiness_change(poller: number, fd: number, bits: number): number {
    const watched = this.#pollers.get(poller);
    if (watched === undefined || this.#descriptors.ready(fd) === undefined) return -EBADF;
    if (!watched.has(fd)) return -ENOENT;
    return this.#set(watched, fd, bits);
  }

  readiness_forget(poller: number, fd: number): number {
    return this.#pollers.get(poller)?.delete(fd) === true ? 0 : -ENOENT;
  }

  readiness_wait(poller: number, events: Uint32Array): number {
    const watched = this.#pollers.get(poller);
    if (watched === undefined) return -EBADF;
    let count = 0;
    for (const fd of watched.keys()) {
      if ((count + 1) * EVENT_WORDS > events.length) break;
      const bits = this.#readyBits(watched, fd);
      if (bits !== 0) events.set([bits, fd, 0], count++ * EVENT_WORDS);
    }
    return count;
  }

  close(poller: number): number {
    if (!this.#pollers.delete(poller)) return -EBADF;
    this.#descriptors.forget(poller);
    return 0;
  }

  /** Readiness bits of a poller; undefined: the number is none's. */
  ready(poller: number): number | undefined {
    const watched = this.#pollers.get(poller);
    if (watched === undefined) return undefined;
    for (const fd of watched.keys()) if (this.#readyBits(watched, fd) !== 0) return READ;
    return 0;
  }

  /** Something became true of a descriptor. */
  told(fd: number): void {
    for (const [poller, watched] of this.#pollers)
      if (this.#readyBits(watched, fd) !== 0) this.#descriptors.tell(poller, READ);
  }

  #set(watched: Map<number, number>, fd: number, bits: number): number {
    watched.set(fd, bits & (READ | WRITE));
    this.told(fd);
    return 0;
  }

  /** epoll(7): a descriptor that is closed is forgotten. */
  #readyBits(watched: Map<number, number>, fd: number): number {
    const bits = watched.get(fd);
    return bits === undefined ? 0 : bits & (this.#descriptors.ready(fd) ?? 0);
  }
}
