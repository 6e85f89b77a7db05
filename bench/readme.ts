// npm run bench:readme: puts the summary of the stored results between the README's markers.
import { readFile, writeFile } from "node:fs/promises";
import { questions } from "./questions/index.ts";
import { inProject } from "./support/paths.ts";
import { loadResults } from "./support/result.ts";
import { replaceSummary, summaryTable } from "./support/tables.ts";

const path = inProject("README.md");
const results = await loadResults(
  inProject("bench/results"),
  questions.map(({ name }) => name),
);
await writeFile(path, replaceSummary(await readFile(path, "utf8"), summaryTable(results)));
