// For sharing.test.ts: a thread that blocks in a call on a socket that it was given by number, and tells how that ended.

import { parentPort, workerData } from "node:worker_threads";
import { fromfd, socket } from "berkeley/sync";
import type { Socket } from "berkeley/sync";

/** What the thread is given: a descriptor, how to take it, and the word that it sets when it is about to block. */
export interface Given {
  readonly fd: number;
  readonly take: "fileno" | "fromfd";
  readonly call: "recv" | "accept";
  readonly blocking: Int32Array;
}

const { blocking, call, fd, take } = workerData as Given;
const sock: Socket =
  take === "fileno" ? socket(undefined, undefined, undefined, { fileno: fd }) : fromfd(fd, 1, 1);

function ended(): string {
  try {
    const value = call === "recv" ? sock.recv(100) : sock.accept()[0].recv(100);
    return `got ${value.toString()}`;
  } catch (error) {
    return (error as Error).message;
  }
}
Atomics.store(blocking, 0, 1);
Atomics.notify(blocking, 0);
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort?.postMessage(ended());
sock.close();
