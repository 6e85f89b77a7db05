// A listener's connections, many at once and never more than there is room for. What is done with one it does not know.

import type { AnyAddress, Socket } from "../index.ts";

/**
 * Connections at once per listener, of a service with one descriptor for each; the rest wait in the kernel's queue. Half
 * of the usual 1024 descriptors (getrlimit(2)).
 */
export const CONNECTIONS_MAX = 512;

/**
 * Accepts while there is room, until the listener is closed and the last connection is done with.
 *
 * @param serve  takes a connection; its place is free when it resolves. It never rejects.
 */
export async function acceptEach(
  listener: Socket,
  connectionsMax: number,
  serve: (conn: Socket, address: AnyAddress) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let freed: (() => void) | undefined;
  for await (const [conn, address] of listener) {
    const served = serve(conn, address).finally(() => {
      running.delete(served);
      freed?.();
    });
    running.add(served);
    if (running.size >= connectionsMax) await new Promise<void>((resolve) => (freed = resolve));
  }
  await Promise.all(running);
}
