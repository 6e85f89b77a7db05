// Conversations that were recorded, from test/transcripts. What they say it does not know.

import { readFileSync } from "node:fs";

/** The text of one, by the name of its file without ".txt". */
export function transcript(name: string): string {
  return readFileSync(new URL(`../../../test/transcripts/${name}.txt`, import.meta.url), "utf8");
}
