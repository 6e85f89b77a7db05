// Whether a path stays within a folder when all links were followed, and shows nothing that is hidden. It opens nothing.

import { realpath } from "node:fs/promises";
import { sep } from "node:path";

/** Whether what a path really is lies in the folder `root` (its links followed), under no name that begins with a dot. */
export function liesInside(root: string, real: string): boolean {
  const top = root.endsWith(sep) ? root : root + sep;
  return real === root || (real.startsWith(top) && !real.slice(top.length - 1).includes(`${sep}.`));
}

/** The same of a path whose links were not followed. @throws what node:fs reports. */
export async function isInside(root: string, path: string): Promise<boolean> {
  return liesInside(root, await realpath(path));
}
