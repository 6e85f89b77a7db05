// What a question is: who is asked, with which job, which figures one round gives.
import type { Job } from "../servers/control.ts";
import type { Peer } from "./peers.ts";
import type { Server } from "./server.ts";

/** A figure of a question. */
export interface Column {
  readonly key: string;
  /** With its unit, for a table's head. */
  readonly title: string;
  readonly better: "more" | "less";
}

/** A peer's server in one of its ways of doing the job. */
export interface Contestant {
  readonly label: string;
  readonly peer: Peer;
  readonly job: Job;
}

/** How long one round is. */
export interface Conditions {
  readonly seconds: number;
  readonly warmup: number;
}

/** One round of one contestant: a number per column. */
export type Sample = Readonly<Record<string, number>>;

/** One question of the bench, in a file of its own under questions/. */
export interface Question {
  /** The file's name, and the command line's. */
  readonly name: string;
  readonly title: string;
  /** The server has every core, and shares one with the generator. Default: a core of its own. */
  readonly everyCore?: boolean;
  /** The first one is what the ratios are made of. */
  readonly columns: readonly [Column, ...Column[]];
  readonly contestants: readonly Contestant[];
  /** Ask a freshly started server once. */
  measure(server: Server, conditions: Conditions): Promise<Sample>;
}

/** How busy the generator was. Near 100 % it was the limit, and the processor time per unit tells more. */
export const loadBusyColumn: Column = { key: "loadBusyPercent", title: "generator busy %", better: "less" };

/** The contestants of a job that each peer does in one way. */
export function everyone(job: "send" | "exchange" | "idle"): readonly Contestant[] {
  return [{ label: "Berkeley", peer: "berkeley", job }, ...others(job)];
}

/** The contestants of a job that Berkeley does with recv and with recv_into. */
export function everyoneTwoWays(job: "echo" | "receive"): readonly Contestant[] {
  return [
    { label: "Berkeley recv_into", peer: "berkeley", job: `${job}-into` },
    { label: "Berkeley recv", peer: "berkeley", job },
    ...others(job),
  ];
}

function others(job: Job): readonly Contestant[] {
  return [
    { label: "node:net", peer: "node-net", job },
    { label: "C epoll", peer: "c", job },
    { label: "Bun", peer: "bun", job },
    { label: "Deno", peer: "deno", job },
  ];
}
