// Results as text: a table per question for the terminal and the dated report, and the summary of all
// questions for the README. Pure.
import type { Machine } from "./machine.ts";
import { ratioTo, type Result, spreadOf } from "./result.ts";
import type { Spread } from "./statistics.ts";

const START = "<!-- bench:start -->";
const END = "<!-- bench:end -->";

/** One question: a line per contestant, median and spread, and its ratios. Markdown, legible as it is. */
export function questionTable(result: Result): string {
  const head = [
    "",
    ...result.columns.map(({ title }, index) => (index === 0 ? `${title} (min–max)` : title)),
    `× ${nodeOf(result)}`,
    "× C",
  ];
  const rows = result.entries.map((entry) => {
    if (entry.failure !== undefined) return [entry.label, `failed: ${entry.failure.split("\n")[0]}`];
    const figures = result.columns.map(({ key }, index) => {
      const spread = spreadOf(entry, key);
      return index === 0 ? withSpread(spread, figure) : figure(spread?.median);
    });
    return [
      entry.label,
      ...figures,
      ratio(ratioTo(result, entry, "node-net")),
      ratio(ratioTo(result, entry, "c")),
    ];
  });
  return table(head, rows);
}

/** The report of a day: where, when and how, then every question's table. */
export function report(results: readonly Result[]): string {
  const first = results[0];
  if (first === undefined) return "";
  const sections = results.map((result) => {
    const { conditions, machine } = result;
    const runtimes = new Set(result.entries.map(({ runtime }) => runtime));
    return `## ${result.title}

${questionTable(result)}

\`${result.question}\`, ${conditions.rounds} rounds of ${conditions.seconds} s after ${conditions.warmup} s; ${[...runtimes].join(", ")}; revision ${machine.revision}, ${machine.date}; others had ${result.othersPercent} % of a core. ${direction(result)}
`;
  });
  return `# ${first.machine.date.slice(0, 10)}, ${first.machine.kernel}

${place(first.machine)}. Medians; the spread is of the rounds. A ratio is taken within each round.

${sections.join("\n")}`;
}

/** What Node's own program of this question is called. */
function nodeOf({ entries }: Result): string {
  return entries.find(({ peer }) => peer === "node-net")?.label ?? "node:net";
}

/** The README's table: Berkeley's figures, and everyone's as multiples of what Node has of its own. */
export function summaryTable(results: readonly Result[]): string {
  const first = results[0];
  if (first === undefined) return "Not measured yet.";
  const head = ["", "Berkeley", "× Node (min–max)", "× C", "Bun × Node", "Deno × Node"];
  const rows = results.flatMap((result) => {
    const unit = result.columns[0];
    const ours = result.entries.filter(({ peer }) => peer === "berkeley");
    const others = (["bun", "deno"] as const).map((peer) => {
      const entry = result.entries.find((candidate) => candidate.peer === peer);
      return entry === undefined ? "" : times(ratioTo(result, entry, "node-net")?.median);
    });
    return ours.map((entry) => {
      const variant = entry.label.replace(/^Berkeley,?/, "").trim();
      const name = `${result.title}${variant === "" ? "" : `, \`${variant}\``}${unit.better === "less" ? " (less is better)" : ""}`;
      const value = `${figure(spreadOf(entry, unit.key)?.median)} ${unit.title}`;
      const toC = times(ratioTo(result, entry, "c")?.median);
      return [name, value, ratio(ratioTo(result, entry, "node-net")), toC, ...others];
    });
  });
  return `${table(head, rows)}

Node is node:net; for datagrams node:dgram, under TLS node:tls, for HTTP node:http, for WebSocket ws. C is one thread over epoll, of datagrams the same calls. More than 1 × is faster, but where less is better; an empty cell was not asked. ${place(first.machine)}, Node ${first.machine.node.slice(1)}, ${first.machine.date.slice(0, 10)}; medians of ${first.conditions.rounds} rounds, interleaved.`;
}

/**
 * The README with its summary replaced by a new one.
 *
 * @throws {Error} The markers are not there, or not in this order.
 */
export function replaceSummary(readme: string, summary: string): string {
  const start = readme.indexOf(START);
  const end = readme.indexOf(END);
  if (start === -1 || end < start) throw new Error(`the README has no ${START} … ${END}`);
  return `${readme.slice(0, start + START.length)}\n${summary}\n${readme.slice(end)}`;
}

function place(machine: Machine): string {
  return `${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB, ${machine.kernel}; ${machine.pinning}`;
}

function direction(result: Result): string {
  const { title, better } = result.columns[0];
  return `Of ${title}, ${better} is better.`;
}

/** Three significant digits, thousands grouped. */
function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "–";
  const rounded = Number(value.toPrecision(3));
  return Math.abs(rounded) >= 1000 ? rounded.toLocaleString("en-US") : String(rounded);
}

function times(value: number | undefined): string {
  return value === undefined || Number.isNaN(value) ? "–" : value.toFixed(2);
}

function ratio(spread: Spread | undefined): string {
  return withSpread(spread, times);
}

function withSpread(spread: Spread | undefined, format: (value: number) => string): string {
  if (spread === undefined) return "–";
  return `${format(spread.median)} (${format(spread.min)}–${format(spread.max)})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) =>
    Math.max(
      3,
      ...all.map((row) => (row.length < head.length && column === 1 ? 0 : (row[column] ?? "").length)),
    ),
  );
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, column) => (column === 0 ? (row[column] ?? "").padEnd(width) : (row[column] ?? "").padStart(width))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
}
