// A page that lists the files of a folder. It touches no file.

/** One name in a folder. */
export interface Listed {
  readonly name: string;
  readonly isFolder: boolean;
  /** Of a file, in bytes. */
  readonly size: number;
  readonly modifiedMs: number;
}

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it stands in HTML, also within quotes. */
function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character] as string);
}

const COLLATOR = new Intl.Collator("en", { numeric: true });

/** What is said instead of a size where there is none. */
const NO_SIZE = "-";
const MINUTE_CHARACTERS = "2026-01-01 00:00".length;

function row({ name, isFolder, size, modifiedMs }: Listed): string {
  const shown = escape(isFolder ? `${name}/` : name);
  // A name with a colon would be a scheme without the dot before it.
  const link = escape(`./${encodeURIComponent(name)}${isFolder ? "/" : ""}`);
  const time = new Date(modifiedMs).toISOString().slice(0, MINUTE_CHARACTERS).replace("T", " ");
  return `<tr><td><a href="${link}">${shown}</a><td>${isFolder ? NO_SIZE : size}<td>${time}`;
}

/**
 * The page of a folder: folders first, then files, by name.
 *
 * @param names  what led to it; none: the top.
 * @param cut    there are more names than these.
 */
export function listingPage(names: readonly string[], listed: readonly Listed[], cut: boolean): string {
  const title = escape(`/${names.map((name) => `${name}/`).join("")}`);
  const rows = listed
    .toSorted((a, b) => Number(b.isFolder) - Number(a.isFolder) || COLLATOR.compare(a.name, b.name))
    .map(row);
  if (names.length > 0) rows.unshift('<tr><td><a href="../">../</a><td><td>');
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
table { border-spacing: 1.5em 0; }
td:nth-child(2) { text-align: right; font-variant-numeric: tabular-nums; }
</style>
<h1>${title}</h1>
<table>
<tr><th>Name<th>Bytes<th>Changed (UTC)
${rows.join("\n")}
</table>
${cut ? `<p>The first ${listed.length} names; there are more.\n` : ""}`;
}
