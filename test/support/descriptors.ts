// Descriptors of this process: how many are open, and what one of them is.

import { closeSync, fstatSync, openSync, readdirSync, readlinkSync } from "node:fs";

/** Numbers of the descriptors that are open now, as /proc/self/fd tells (without the one that reads it). */
export function openDescriptors(): Set<number> {
  const numbers = readdirSync("/proc/self/fd").map(Number);
  return new Set(numbers.filter((fd) => isOpen(fd)));
}

/** Paths of the files that are open now and whose names begin so: of what others open and close meanwhile nothing is told. */
export function openFiles(prefix: string): string[] {
  return readdirSync("/proc/self/fd")
    .flatMap((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`);
      } catch {
        return [];
      }
    })
    .filter((name) => name.startsWith(prefix));
}

/** Whether a descriptor is open. */
export function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

/** Whether two descriptors are of one file. */
export function sameFile(one: number, other: number): boolean {
  const [a, b] = [fstatSync(one), fstatSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

/** Opens descriptors of /dev/null for a test; closes those that it still has at the end. */
export function nullDescriptors(count: number): Disposable & { readonly fds: readonly number[] } {
  const fds = Array.from({ length: count }, () => openSync("/dev/null", "r"));
  return {
    fds,
    [Symbol.dispose](): void {
      for (const fd of fds) closeSync(fd);
    },
  };
}
