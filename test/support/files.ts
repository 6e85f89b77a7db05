// Files of a test's own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory that goes with the test, and paths in it. */
export interface Folder extends Disposable {
  path(name: string): string;
}

/** Makes one. Use with `using`. */
export function folder(): Folder {
  const made = mkdtempSync(join(tmpdir(), "berkeley-"));
  return {
    path: (name) => join(made, name),
    [Symbol.dispose]: () => rmSync(made, { recursive: true }),
  };
}
