// npm run bench:readme: puts the summary of the stored results between the README's markers. It is about one question of
// each kind; bench/results/ has the rest.
import { readFile, writeFile } from "node:fs/promises";
import { inProject } from "./support/paths.ts";
import { loadResults } from "./support/result.ts";
import { replaceSummary, summaryTable } from "./support/tables.ts";

const SUMMARY = [
  "echo-64x64",
  "echo-64x16k",
  "stream-receive",
  "relay",
  "accept-rate",
  "idle-memory",
  "udp-receive",
  "udp-receive-gro",
  "udp-send-gso",
  "tls-echo-64x64",
  "http-hello",
  "ws-echo-64x64",
];

const path = inProject("README.md");
const results = await loadResults(inProject("bench/results"), SUMMARY);
await writeFile(path, replaceSummary(await readFile(path, "utf8"), summaryTable(results)));
