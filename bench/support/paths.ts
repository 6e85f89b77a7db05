// Where things lie in a checkout, seen from the compiled bench (out/bench/support).
import { fileURLToPath } from "node:url";

const project: URL = new URL("../../../", import.meta.url);

/** The absolute path of something in the checkout. */
export function inProject(relative: string): string {
  return fileURLToPath(new URL(relative, project));
}
