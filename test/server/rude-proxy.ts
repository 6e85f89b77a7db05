// What stands between a client and a server and does both harm: it cuts what it forwards anywhere, stops forwarding for a
// while, ends one direction early, closes or resets both. What goes through it, it does not know.

import { setTimeout as pass } from "node:timers/promises";
import { SHUT_WR, create_server } from "berkeley";
import type { Socket } from "berkeley";
import { reset } from "../support/pair.ts";
import type { Random } from "../support/random.ts";

/** What it does to a connection. */
export const HARMS = ["none", "stall", "half", "close", "reset"] as const;
export type Harm = (typeof HARMS)[number];

/** How bytes go in one direction, until they come to no good. */
interface Way {
  readonly harm: Harm;
  /** So many bytes are let through before that. */
  readonly bytes: number;
  readonly stallMs: number;
}

/** A proxy in front of a server. Disposing closes all that it has. */
export interface RudeProxy extends AsyncDisposable {
  readonly port: number;
}

/** Starts one. `harm` is asked for each connection; `connect` makes the way to the server. */
export function rudeProxy(
  random: Random,
  connect: () => Promise<Socket>,
  harm: () => Harm,
  bytesMax: number,
): RudeProxy {
  const server = create_server(["127.0.0.1", 0]);
  const port = server.getsockname()[1];
  const open = new Set<Socket>();
  const working: Promise<void>[] = [];

  const finish = (ends: readonly Socket[], how: (end: Socket) => void): void => {
    for (const end of ends) if (!end.closed) how(end);
  };

  async function forward(from: Socket, to: Socket, way: Way): Promise<void> {
    let left = way.bytes;
    for (;;) {
      const data = await from.recv(1 + random.below(8000));
      if (data.length === 0) return to.shutdown(SHUT_WR);
      const through = data.subarray(0, left);
      const cut = random.below(through.length + 1);
      await to.sendall(through.subarray(0, cut));
      await to.sendall(through.subarray(cut));
      left -= through.length;
      if (left > 0) continue;
      switch (way.harm) {
        case "none":
          break;
        case "stall":
          await pass(way.stallMs);
          break;
        case "half":
          to.shutdown(SHUT_WR);
          // The rest goes nowhere.
          while ((await from.recv(65_536)).length > 0);
          return;
        case "close":
          return finish([from, to], (end) => end.close());
        case "reset":
          return finish([from, to], reset);
      }
      if (through.length < data.length) await to.sendall(data.subarray(through.length));
      left = Infinity;
    }
  }

  async function converse(client: Socket): Promise<void> {
    open.add(client);
    let upstream: Socket | undefined;
    try {
      upstream = await connect();
      open.add(upstream);
      const way = (which: Harm): Way => ({
        harm: which,
        bytes: 1 + random.below(bytesMax),
        stallMs: 1 + random.below(60),
      });
      // One direction is harmed.
      const [one, other] = random.onceIn(2) ? [harm(), "none" as const] : ["none" as const, harm()];
      const ways = [forward(client, upstream, way(one)), forward(upstream, client, way(other))];
      // What one side suffers is passed on to the other.
      for (const each of ways) each.catch(() => finish([client, upstream as Socket], reset));
      await Promise.allSettled(ways);
    } catch {
      finish([client], reset); // the server is gone
    } finally {
      for (const end of [client, upstream]) {
        end?.close();
        if (end !== undefined) open.delete(end);
      }
    }
  }

  const accepting = (async (): Promise<void> => {
    for await (const [client] of server) working.push(converse(client));
  })();
  return {
    port,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const end of open) end.close();
      await accepting;
      await Promise.all(working);
    },
  };
}
