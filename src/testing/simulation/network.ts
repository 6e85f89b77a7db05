// A simulated network as a test sees it: hosts, the links between them, and what can be done to both. Everything random
// comes from one seed, and all time is the simulation's own.

import { AsyncLocalStorage } from "node:async_hooks";
import { invalidArgument, outOfRange } from "../../socket/errors.ts";
import type { VirtualClock } from "./clock.ts";
import { HostState, isLoopback } from "./host.ts";
import type { Route } from "./host.ts";
import { Path } from "./path.ts";
import type { LinkConditions } from "./path.ts";
import type { SeededRandom } from "./random.ts";
import { StreamSocket } from "./stream-socket.ts";

/** Within a host. */
const LOOPBACK_LATENCY_MS = 0.01;
const DEFAULTS: LinkConditions = {
  latencyMs: 1,
  jitterMs: 0,
  bytesPerSecond: Infinity,
  loss: 0,
  duplication: 0,
};
/** Hosts of a network: what the last byte of an IPv4 address numbers. */
const HOSTS_MAX = 254;

/** Which host the running part of the program is on. */
export const currentHost: AsyncLocalStorage<HostState> = new AsyncLocalStorage();

/** A host of a simulated network. */
export class SimulatedHost {
  readonly #state: HostState;

  /** @internal */
  constructor(state: HostState) {
    this.#state = state;
  }

  /** Its name. */
  get name(): string {
    return this.#state.name;
  }

  /** Its IPv4 address, 10.0.0.1 and up. */
  get address(): string {
    return this.#state.ipv4;
  }

  /** Its IPv6 address, fd00::1 and up. */
  get address6(): string {
    return this.#state.ipv6;
  }

  /** Runs a part of the program on this host: every socket that it makes, and what it calls makes, is the host's. */
  run<T>(program: () => T): T {
    return currentHost.run(this.#state, program);
  }

  /**
   * The host goes down at once: its sockets fail with ENETDOWN, its ports are free, and nobody hears of it, until it is
   * up again and answers with resets. Its program is not stopped; it sees its sockets fail.
   */
  crash(): void {
    this.#state.up = false;
    for (const socket of this.#state.sockets) socket.crash();
  }

  /** The host is up again; listeners must be made anew. */
  restart(): void {
    this.#state.up = true;
  }

  /** @internal */
  get state(): HostState {
    return this.#state;
  }
}

/** A network of hosts, for one simulation. */
export class SimulatedNetwork {
  /** Random numbers of the simulation's seed, for the test's own choices. */
  readonly random: SeededRandom;
  readonly #clock: VirtualClock;
  readonly #tell: (fd: number, bits: number) => void;
  readonly #stir: () => void;
  readonly #hosts = new Map<string, SimulatedHost>();
  readonly #paths = new Map<string, Path>();
  readonly #openSockets: () => readonly string[];

  /** @internal */
  constructor(
    clock: VirtualClock,
    random: SeededRandom,
    kernel: {
      readonly tell: (fd: number, bits: number) => void;
      readonly stir: () => void;
      readonly openSockets: () => readonly string[];
    },
  ) {
    this.#clock = clock;
    this.random = random;
    this.#tell = kernel.tell;
    this.#stir = kernel.stir;
    this.#openSockets = kernel.openSockets;
  }

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.#clock.now;
  }

  /** The sockets that are open, in words: host, type, addresses. */
  get openSockets(): readonly string[] {
    return this.#openSockets();
  }

  /**
   * A host by name; made when it is first asked for.
   *
   * @throws {RangeError} ERR_OUT_OF_RANGE: the 255th host.
   */
  host(name: string): SimulatedHost {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const number = this.#hosts.size + 1;
    if (number > HOSTS_MAX) throw outOfRange("hosts", `at most ${HOSTS_MAX} of them`, number);
    const state = new HostState(name, `10.0.0.${number}`, `fd00::${number.toString(16)}`, {
      clock: this.#clock,
      tell: this.#tell,
      route: (from, address) => this.#route(from, address),
    });
    const host = new SimulatedHost(state);
    this.#hosts.set(name, host);
    return host;
  }

  /**
   * Changes what the link between two hosts does, from now on, in both directions. What is not named stays as it is.
   *
   * @throws {RangeError} ERR_OUT_OF_RANGE: a negative time, a probability outside of 0 to 1.
   */
  link(a: SimulatedHost, b: SimulatedHost, conditions: Partial<LinkConditions>): void {
    for (const [name, value] of Object.entries(conditions)) {
      if (!(name in DEFAULTS)) throw invalidArgument(`conditions.${name}`, "absent", value);
      const top = name === "loss" || name === "duplication" ? 1 : Infinity;
      if (!(value >= 0 && value <= top) || (name === "bytesPerSecond" && value === 0))
        throw outOfRange(`conditions.${name}`, top === 1 ? "0 to 1" : "0 or more", value);
    }
    for (const path of this.#both(a, b)) Object.assign(path.conditions, conditions);
  }

  /** Cuts every link between a host of one group and one of the other: what is under way and what follows is lost. */
  partition(group: readonly SimulatedHost[], others: readonly SimulatedHost[]): void {
    for (const a of group) for (const b of others) for (const path of this.#both(a, b)) path.cut = true;
  }

  /** Mends every link. */
  heal(): void {
    for (const path of this.#paths.values()) path.cut = false;
  }

  /** Resets every connection between two hosts, as a middlebox that forgets them does. */
  reset(a: SimulatedHost, b: SimulatedHost): void {
    for (const socket of a.state.sockets)
      if (socket instanceof StreamSocket && socket.remote !== undefined && b.state.owns(socket.remote.host))
        socket.sever();
  }

  /** Resolves when `ms` of the simulation's time have passed. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.after(ms, () => {
        this.#stir();
        resolve();
      });
    });
  }

  /** A signal that is aborted with a TimeoutError when `ms` of the simulation's time have passed. */
  timeout(ms: number): AbortSignal {
    const controller = new AbortController();
    this.#clock.after(ms, () => {
      this.#stir();
      controller.abort(new DOMException("The operation was aborted due to timeout", "TimeoutError"));
    });
    return controller.signal;
  }

  #route(from: HostState, address: string): Route | undefined {
    const to = isLoopback(address) ? from : this.#owner(address);
    if (to === undefined) return undefined;
    return { host: to, there: this.#path(from, to), back: this.#path(to, from) };
  }

  #owner(address: string): HostState | undefined {
    for (const { state } of this.#hosts.values())
      if (state.ipv4 === address || state.ipv6 === address) return state;
    return undefined;
  }

  #both(a: SimulatedHost, b: SimulatedHost): readonly Path[] {
    return [this.#path(a.state, b.state), this.#path(b.state, a.state)];
  }

  #path(from: HostState, to: HostState): Path {
    const key = `${from.name}\0${to.name}`;
    const known = this.#paths.get(key);
    if (known !== undefined) return known;
    const latencyMs = from === to ? LOOPBACK_LATENCY_MS : DEFAULTS.latencyMs;
    const path = new Path(this.#clock, this.random, { ...DEFAULTS, latencyMs });
    this.#paths.set(key, path);
    return path;
  }
}
