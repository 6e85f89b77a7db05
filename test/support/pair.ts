// Two ends of one TCP connection in this process, and what tests ask about them: which descriptors are open, what a
// promise rejected with, whether it still waits. It knows Berkeley's sockets.

import assert from "node:assert/strict";
import { readdirSync, readlinkSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import {
  AF_INET,
  AF_INET6,
  SOL_SOCKET,
  SO_LINGER,
  SO_RCVBUF,
  SO_SNDBUF,
  create_server,
  socket,
} from "berkeley";
import type { Address, Socket, SocketError } from "berkeley";

/** A connected pair. Disposing closes both. */
export interface Pair extends Disposable {
  /** The end that connected. */
  readonly a: Socket;
  /** The end that was accepted. */
  readonly b: Socket;
}

/** Options of tcpPair. */
export interface PairOptions {
  readonly host?: string;
  /** Asked for as send and receive buffers; the kernel then does not grow them. Default: as the system likes. */
  readonly bufferBytes?: number;
}

/** Connects two sockets of this process. */
export async function tcpPair({ host = "127.0.0.1", bufferBytes }: PairOptions = {}): Promise<Pair> {
  const family = host.includes(":") ? AF_INET6 : AF_INET;
  using server = create_server([host, 0], { family });
  const a = socket(family);
  if (bufferBytes !== undefined)
    for (const end of [a, server]) {
      end.setsockopt(SOL_SOCKET, SO_SNDBUF, bufferBytes);
      end.setsockopt(SOL_SOCKET, SO_RCVBUF, bufferBytes);
    }
  await a.connect(server.getsockname());
  const [b] = await server.accept();
  return {
    a,
    b,
    [Symbol.dispose]() {
      a.close();
      b.close();
    },
  };
}

/** A pair between which a few kilobytes fit, and what fits more than that. */
export const NARROW: PairOptions = { bufferBytes: 16_384 };
/** More than any narrow pair holds: sending it waits until the peer reads. */
export const TOO_MUCH: number = 1 << 20;

/** A listener whose queue is full: who connects to it now is not answered. Disposing ends all that it takes. */
export interface FullListener extends Disposable {
  readonly address: Address;
}

/** Makes a full listener; connections that fill it wait, and nobody accepts. */
export async function fullListener(): Promise<FullListener> {
  const server = create_server(["127.0.0.1", 0], { backlog: 0 });
  const fillers = Array.from({ length: 4 }, () => socket());
  const connecting = fillers.map((end) => end.connect(server.getsockname()));
  for (const each of connecting) each.catch(() => undefined); // they are closed while they wait
  await connecting[0];
  return {
    address: server.getsockname(),
    [Symbol.dispose]() {
      for (const end of [...fillers, server]) end.close();
    },
  };
}

/** An address of this machine at which nobody listens. */
export function deadAddress(host = "127.0.0.1"): Address {
  using end = socket(host.includes(":") ? AF_INET6 : AF_INET);
  end.bind([host, 0]);
  return end.getsockname();
}

/** Bytes that tell where they stand, so that one lost, doubled or moved is seen. */
export function pattern(length: number, seed = 0): Buffer<ArrayBuffer> {
  const bytes = Buffer.allocUnsafeSlow(length);
  for (let at = 0; at < length; at++) bytes[at] = (at * 31 + (at >>> 8) * 7 + (at >>> 16) + seed) & 255;
  return bytes;
}

/** Closes with a reset instead of an orderly end: SO_LINGER of 0 seconds. */
export function reset(end: Socket): void {
  end.setsockopt(SOL_SOCKET, SO_LINGER, new Uint8Array(new Int32Array([1, 0]).buffer));
  end.close();
}

/** What it rejected with. Fails when it resolved. */
export async function rejection(promise: Promise<unknown>): Promise<SocketError> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    assert.ok(error instanceof Error, `rejected with no Error: ${String(error)}`);
    return error as SocketError;
  }
  return assert.fail(`resolved with ${String(value)}`);
}

/** The `code` of what it rejected with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return (await rejection(promise)).code;
}

/** What a plain call threw. Fails when it returned. */
export function thrown(call: () => unknown): SocketError {
  let value: unknown;
  try {
    value = call();
  } catch (error) {
    assert.ok(error instanceof Error, `threw no Error: ${String(error)}`);
    return error as SocketError;
  }
  return assert.fail(`returned ${String(value)}`);
}

/** Notes the order in which promises settle. */
export function settling(promises: readonly Promise<unknown>[]): { order: number[]; all: Promise<unknown> } {
  const order: number[] = [];
  const noted = promises.map(async (promise, index) => {
    await promise.catch(() => undefined);
    order.push(index);
  });
  return { order, all: Promise.all(noted) };
}

/** Fails if the promise settles within a few turns of the loop. */
export async function stillWaits(promise: Promise<unknown>): Promise<void> {
  let state = "waits";
  promise.then(
    () => (state = "resolved"),
    () => (state = "rejected"),
  );
  for (let turns = 0; turns < 5; turns++) await turn();
  assert.equal(state, "waits");
}

/** The sockets that this process has open: descriptor number and identity, "18 socket:[4242]". */
export function openSockets(): string[] {
  return readdirSync("/proc/self/fd")
    .flatMap((fd) => {
      try {
        const target = readlinkSync(`/proc/self/fd/${fd}`);
        return target.startsWith("socket:") ? [`${fd} ${target}`] : [];
      } catch {
        return []; // the descriptor that listed the others
      }
    })
    .toSorted();
}

/** Spends the event loop's thread, as a program does that computes. */
export function computeFor(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}
