// From the path of a target to names of files: percent-encoding undone, and nothing in it that leads elsewhere. It touches
// no file.

/**
 * The names that a path leads through.
 *
 * @param path  of a target, from its slash on, without the query.
 * @returns undefined: it is no path of files: it is badly encoded, or a name in it has a slash, a backslash or a control, or
 *   is "." or "..". The last one is "" where the path ends in a slash.
 */
export function pathNames(path: string): string[] | undefined {
  const names: string[] = [];
  for (const encoded of path.slice(1).split("/")) {
    let name: string;
    try {
      name = decodeURIComponent(encoded);
    } catch {
      return undefined;
    }
    // oxlint-disable-next-line no-control-regex
    if (name === "." || name === ".." || /[/\\\x00-\x1f\x7f]/.test(name)) return undefined;
    names.push(name);
  }
  return names;
}
