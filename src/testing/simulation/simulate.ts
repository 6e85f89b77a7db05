// Runs a program on a simulated network: it drives the engine and the clock. While the program has something to do, no
// time passes; when it only waits, time moves on to what happens next. So an hour of network time takes as long as the
// work in it, and the same seed gives the same run.
//
// What is not of the simulation (files, threads, Node's own timers) has no time in it: a program that waits for such a
// thing while nothing of the network is due is waited for; otherwise the network's time goes on meanwhile, and the run is
// no longer the same each time.

import { AsyncLocalStorage } from "node:async_hooks";
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { scopeEngine } from "../../engine/current.ts";
import { Engine } from "../../engine/engine.ts";
import { formatAddress } from "../../socket/address.ts";
import { outOfRange } from "../../socket/errors.ts";
import { SimulatedBackend } from "./backend.ts";
import { SimulatedCalls } from "./calls.ts";
import { VirtualClock } from "./clock.ts";
import { SimulatedNetwork, currentHost } from "./network.ts";
import { SimulatedPollers } from "./pollers.ts";
import { SeededRandom } from "./random.ts";
import { Readiness } from "./readiness.ts";
import type { SimulatedSocket } from "./socket.ts";

/** How often a program that nothing of the network will ever wake is looked at again, once a millisecond of real time. */
const IDLE_LOOKS = 200;

/** What a simulation takes. */
export interface SimulationOptions {
  /** Everything random comes from it: 0 to 2^32 - 1. Default: the environment's BERKELEY_SEED, or another one each time. */
  seed?: number | undefined;
  /** Let sockets be open when the program ends, instead of failing with ERR_SIMULATION_LEAK. Default false. */
  allowOpen?: boolean | undefined;
}

/** A simulation cannot go on, or ended badly. */
export class SimulationError extends Error {
  static {
    SimulationError.prototype.name = "SimulationError";
  }
  /** ERR_SIMULATION_STALLED: everybody waits, for nothing. ERR_SIMULATION_LEAK: sockets were left open. */
  readonly code: "ERR_SIMULATION_STALLED" | "ERR_SIMULATION_LEAK";

  /** @internal */
  constructor(code: SimulationError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

const engines = new AsyncLocalStorage<Engine>();

/**
 * Runs a program on a network of its own, with the sockets of `berkeley` as they are.
 *
 * @param program  is given the network; makes hosts, and runs its parts on them (`host.run`).
 * @returns what the program returns.
 * @throws what the program throws; its message then says the seed and the time.
 * @throws {SimulationError} ERR_SIMULATION_STALLED, ERR_SIMULATION_LEAK.
 * @throws {RangeError} ERR_OUT_OF_RANGE: `options.seed`.
 */
export async function simulate<T>(
  program: (network: SimulatedNetwork) => Promise<T>,
  options: SimulationOptions = {},
): Promise<T> {
  const seed = options.seed ?? Number(process.env["BERKELEY_SEED"] ?? randomInt(2 ** 32));
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32)
    throw outOfRange("options.seed", "a whole number from 0 to 4294967295", seed);
  const clock = new VirtualClock();
  const readiness = new Readiness();
  const calls = new SimulatedCalls(() => currentHost.getStore());
  const pollers = new SimulatedPollers({
    number: () => calls.number(),
    ready: (fd) => calls.open.get(fd)?.ready(),
    tell: (fd, bits) => readiness.tell(fd, bits),
    forget: (fd) => readiness.forget(fd),
  });
  const backend = new SimulatedBackend(calls, pollers, clock, readiness);
  const engine = new Engine(backend);
  const network = new SimulatedNetwork(clock, new SeededRandom(seed), {
    tell: (fd, bits) => {
      readiness.tell(fd, bits);
      pollers.told(fd);
    },
    stir: () => (backend.stirred = true),
    openSockets: () => [...calls.open.values()].map(describe),
  });
  scopeEngine(() => engines.getStore());
  try {
    const running = engines.run(engine, () => Promise.resolve(program(network)));
    await drive(running, backend, clock, network);
    const result = await running;
    if (options.allowOpen !== true && network.openSockets.length > 0)
      throw new SimulationError("ERR_SIMULATION_LEAK", `left open: ${network.openSockets.join("; ")}`);
    return result;
  } catch (error) {
    if (error instanceof Error)
      error.message += `\n(simulated network: seed ${seed}, after ${clock.now.toFixed(3)} ms)`;
    throw error;
  }
}

/** Lets turns and time pass until the program has ended. */
async function drive(
  running: Promise<unknown>,
  backend: SimulatedBackend,
  clock: VirtualClock,
  network: SimulatedNetwork,
): Promise<void> {
  let ended = false;
  const over = (): void => void (ended = true);
  running.then(over, over);
  for (let idle = 0; ; ) {
    // Everything that the program can do now, it does before this comes back.
    await nextTurn();
    if (ended) return;
    if (backend.turn() || moveTime(backend, clock)) {
      idle = 0;
      continue;
    }
    if (++idle > IDLE_LOOKS)
      throw new SimulationError(
        "ERR_SIMULATION_STALLED",
        `everybody waits and nothing is to come; open: ${network.openSockets.join("; ") || "nothing"}`,
      );
    await sleep(1);
  }
}

/** Until something happens that the program can see; false: nothing will. */
function moveTime(backend: SimulatedBackend, clock: VirtualClock): boolean {
  backend.stirred = false;
  while (clock.step()) if (backend.stirred || backend.due) return true;
  return false;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function describe(socket: SimulatedSocket): string {
  const { host, isStream, local, remote } = socket;
  const word = (end: SimulatedSocket["local"]): string =>
    end === undefined ? "–" : formatAddress([end.host, end.port]);
  return `${host.name}: ${isStream ? "TCP" : "UDP"} ${word(local)} → ${word(remote)}`;
}
