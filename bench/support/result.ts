// A question's result: what is stored in bench/results/<question>.json, and the ratios made of it.
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Machine } from "./machine.ts";
import type { Column, Conditions, Contestant, Sample } from "./question.ts";
import { ratios, type Spread, spread } from "./statistics.ts";

/** One contestant's rounds. A contestant that failed has no samples, and its failure. */
export interface Entry extends Contestant {
  readonly runtime: string;
  readonly samples: readonly Sample[];
  readonly failure?: string;
}

/** Everything that one question gave. */
export interface Result {
  readonly question: string;
  readonly title: string;
  readonly columns: readonly [Column, ...Column[]];
  readonly conditions: Conditions & { readonly rounds: number };
  readonly machine: Machine;
  /** Percent of one core that went to anything but the bench meanwhile. */
  readonly othersPercent: number;
  readonly entries: readonly Entry[];
}

/** The values of one column, round by round. */
function valuesOf(entry: Entry | undefined, key: string): readonly number[] {
  return (entry?.samples ?? []).flatMap((sample) => sample[key] ?? []);
}

/** Median and spread of one column. */
export function spreadOf(entry: Entry, key: string): Spread | undefined {
  return spread(valuesOf(entry, key));
}

/** The entry's headline figure as a multiple of another peer's, round against round. */
export function ratioTo(result: Result, entry: Entry, peer: "node-net" | "c"): Spread | undefined {
  const { key } = result.columns[0];
  const other = result.entries.find((candidate) => candidate.peer === peer);
  return ratios(valuesOf(entry, key), valuesOf(other, key));
}

/** Write a result into a folder, with its medians and ratios beside the rounds that they come from. */
export async function storeResult(folder: string, result: Result): Promise<void> {
  const entries = result.entries.map((entry) => ({
    ...entry,
    summary: Object.fromEntries(result.columns.map(({ key }) => [key, spreadOf(entry, key)])),
    ratioToNodeNet: ratioTo(result, entry, "node-net"),
    ratioToC: ratioTo(result, entry, "c"),
  }));
  await writeFile(
    join(folder, `${result.question}.json`),
    `${JSON.stringify({ ...result, entries }, undefined, 2)}\n`,
  );
}

/** Every result that a folder holds, in the order of `questions`. */
export async function loadResults(folder: string, questions: readonly string[]): Promise<Result[]> {
  const present = new Set(await readdir(folder));
  const files = questions.map((name) => `${name}.json`).filter((file) => present.has(file));
  return await Promise.all(
    files.map(async (file): Promise<Result> => JSON.parse(await readFile(join(folder, file), "utf8"))),
  );
}
