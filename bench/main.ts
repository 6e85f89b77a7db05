// npm run bench: asks the questions and keeps the answers. Knows the command line and where results go.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { questions } from "./questions/index.ts";
import { describeMachine } from "./support/machine.ts";
import { makeCertificate } from "./support/certificate.ts";
import { compileNative } from "./support/native.ts";
import { inProject } from "./support/paths.ts";
import { isUnderTls, type Peer, PEERS } from "./support/peers.ts";
import type { Question } from "./support/question.ts";
import { loadResults, storeResult } from "./support/result.ts";
import { askQuestion } from "./support/rounds.ts";
import { questionTable, report } from "./support/tables.ts";

const USAGE = `npm run bench [-- [QUESTION…] [options]]

Without a question, all are asked, for about a minute and a half each.

  --rounds N     rounds, each with a fresh server per peer (5)
  --seconds S    measured in each round (3)
  --warmup S     the same load before that, not measured (1)
  --peers LIST   only these, separated by commas: ${PEERS.join(", ")}
  --out DIR      where the results go (bench/results)
  --help

Questions: ${questions.map(({ name }) => name).join(", ")}
`;

const OTHERS_PERCENT_MAX = 10; // Of one core. Above it, the figures show who else was running.

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      rounds: { type: "string", default: "5" },
      seconds: { type: "string", default: "3" },
      warmup: { type: "string", default: "1" },
      peers: { type: "string", default: PEERS.join(",") },
      out: { type: "string", default: inProject("bench/results") },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return void process.stdout.write(USAGE);
  const asked = positionals.length === 0 ? questions : positionals.map(questionNamed);
  const options = {
    rounds: Math.ceil(positive("rounds", values.rounds)),
    seconds: positive("seconds", values.seconds),
    warmup: positive("warmup", values.warmup),
    peers: values.peers.split(",").map(peerNamed),
    report: (line: string) => console.log(line),
  };

  await mkdir(values.out, { recursive: true });
  await compileNative();
  if (asked.some(({ contestants }) => contestants.some(({ job }) => isUnderTls(job))))
    await makeCertificate();
  for (const question of asked) {
    console.log(question.title);
    const result = await askQuestion(question, options);
    await storeResult(values.out, result);
    console.log(`\n${questionTable(result)}\n`);
    if (result.othersPercent > OTHERS_PERCENT_MAX)
      console.log(`Others had ${result.othersPercent} % of a core meanwhile: do not trust these figures.\n`);
    if (result.entries.some(({ failure }) => failure !== undefined)) process.exitCode = 1;
  }
  await writeReport(values.out);
}

// The dated report holds every stored result of this day and kernel, asked just now or before.
async function writeReport(folder: string): Promise<void> {
  const machine = await describeMachine();
  const day = machine.date.slice(0, 10);
  const stored = await loadResults(
    folder,
    questions.map(({ name }) => name),
  );
  const same = stored.filter(
    (result) => result.machine.date.startsWith(day) && result.machine.kernel === machine.kernel,
  );
  const path = join(folder, `${day}-${machine.kernel.toLowerCase().replace(" ", "-")}.md`);
  await writeFile(path, report(same));
  console.log(`Written: ${path}`);
}

function questionNamed(name: string): Question {
  const question = questions.find((candidate) => candidate.name === name);
  if (question === undefined) throw new RangeError(`no question is called "${name}"\n\n${USAGE}`);
  return question;
}

function peerNamed(name: string): Peer {
  const peer = PEERS.find((candidate) => candidate === name);
  if (peer === undefined) throw new RangeError(`no peer is called "${name}"\n\n${USAGE}`);
  return peer;
}

function positive(option: string, text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new RangeError(`--${option} takes a number above 0, not "${text}"`);
  return value;
}

try {
  await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
