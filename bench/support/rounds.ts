// Asks one question: every contestant in every round, each with a server of its own, in turn. What
// disturbs the machine for a while then disturbs them alike, and a ratio is taken within a round.
import { watchDisturbance } from "./disturbance.ts";
import { describeMachine } from "./machine.ts";
import { type Peer, runtimeVersion, serverCommand } from "./peers.ts";
import type { Conditions, Contestant, Question, Sample } from "./question.ts";
import type { Entry, Result } from "./result.ts";
import { Server } from "./server.ts";

/** How a question is asked. */
export interface RoundOptions extends Conditions {
  readonly rounds: number;
  /** Only these; who is not installed is left out too. */
  readonly peers: readonly Peer[];
  /** Told of each sample as it comes, and of each failure. */
  readonly report: (line: string) => void;
}

/** Ask one question. A contestant that fails once is not asked again, and its failure is in the result. */
export async function askQuestion(question: Question, options: RoundOptions): Promise<Result> {
  const { rounds, seconds, warmup, peers, report } = options;
  const machine = await describeMachine(question.everyCore);
  const disturbance = await watchDisturbance();
  const contestants = question.contestants.filter(
    ({ peer, job }) => peers.includes(peer) && serverCommand(peer, job) !== undefined,
  );
  const samples = new Map<Contestant, Sample[]>(contestants.map((contestant) => [contestant, []]));
  const failures = new Map<Contestant, string>();

  for (let round = 0; round < rounds; round++) {
    for (const contestant of rotated(contestants, round)) {
      if (failures.has(contestant)) continue;
      try {
        await using server = await Server.start(contestant.peer, contestant.job, question.everyCore);
        const sample = await question.measure(server, { seconds, warmup });
        samples.get(contestant)?.push(sample);
        report(`  round ${round + 1}  ${contestant.label.padEnd(20)} ${headline(question, sample)}`);
      } catch (error) {
        const message = error instanceof Error ? error.message : String(error);
        failures.set(contestant, message);
        report(`  round ${round + 1}  ${contestant.label.padEnd(20)} FAILED: ${message}`);
      }
    }
  }

  const othersPercent = await disturbance();
  const entries = contestants.map(async (contestant): Promise<Entry> => {
    const failure = failures.get(contestant);
    const runtime = await runtimeVersion(contestant.peer);
    if (failure !== undefined) return { ...contestant, runtime, samples: [], failure };
    return { ...contestant, runtime, samples: samples.get(contestant) ?? [] };
  });
  return {
    question: question.name,
    title: question.title,
    columns: question.columns,
    conditions: { rounds, seconds, warmup },
    machine,
    othersPercent,
    entries: await Promise.all(entries),
  };
}

// Nobody is always first, or always after the same one.
function rotated<Item>(items: readonly Item[], by: number): readonly Item[] {
  const cut = items.length === 0 ? 0 : by % items.length;
  return [...items.slice(cut), ...items.slice(0, cut)];
}

function headline(question: Question, sample: Sample): string {
  const { key, title } = question.columns[0];
  return `${(sample[key] ?? Number.NaN).toPrecision(6)} ${title}`;
}
