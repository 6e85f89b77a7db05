// What tests of raw and packet sockets share: the right they need, addresses of their own on loopback, and finding their
// own packets among everybody's.

import { randomBytes } from "node:crypto";
import type { AnyAddress, Socket } from "berkeley";
import { PYTHON } from "./python.ts";

/** Why tests that need CAP_NET_RAW and CPython do not run here, or `false`. */
export const ROOT_SKIP: string | false =
  process.getuid?.() === 0 ? PYTHON.skip : "needs root, for raw and packet sockets";

/** An address of 127.0.0.0/8 that other tests of this moment hardly have. */
export function loopback(): string {
  const [a, b, c] = randomBytes(3) as unknown as [number, number, number];
  return `127.${a}.${b}.${(c % 254) + 1}`;
}

/** Bytes that nobody else sends. */
export const token = (): Buffer => randomBytes(16);

/** What has not come after so long never comes. */
const PATIENCE_MS = 60_000;

/** The first packet that holds these bytes; raw sockets see other programs' too. */
export async function packetWith<A extends AnyAddress>(
  sock: Socket,
  bytes: Buffer,
): Promise<[packet: Buffer, address: A]> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  for (;;) {
    const [packet, address] = await sock.recvfrom<A>(65_536, 0, { signal });
    if (packet.includes(bytes)) return [packet, address];
  }
}
