// The names in a folder, for a page that lists them: those that staticFiles() would serve. How the page looks,
// syntax/listing.ts knows.

import { opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import { nearestDate } from "../syntax/date.ts";
import { listingPage } from "../syntax/listing.ts";
import type { Listed } from "../syntax/listing.ts";
import { isInside } from "./inside.ts";

/** More names than these fill no page that anybody reads. */
const LISTED_MAX = 10_000;

/**
 * The page of a folder.
 *
 * @param root   the top, its links followed.
 * @param real   the folder, likewise.
 * @param names  what led to it.
 * @throws what node:fs reports.
 */
export async function listFolder(root: string, real: string, names: readonly string[]): Promise<string> {
  const listed: Listed[] = [];
  let cut = false;
  for await (const { name } of await opendir(real)) {
    if (name.startsWith(".")) continue;
    if (listed.length === LISTED_MAX) {
      cut = true;
      break;
    }
    const one = await look(root, join(real, name), name);
    if (one !== undefined) listed.push(one);
  }
  return listingPage(names, listed, cut);
}

/** What a name stands for; undefined: for nothing that is served. */
async function look(root: string, path: string, name: string): Promise<Listed | undefined> {
  try {
    if (!(await isInside(root, path))) return undefined;
    const stats = await stat(path);
    const isFolder = stats.isDirectory();
    if (!isFolder && !stats.isFile()) return undefined;
    return { name, isFolder, size: stats.size, modifiedMs: nearestDate(stats.mtimeMs) };
  } catch {
    return undefined; // A link to nowhere, or it is gone by now.
  }
}
