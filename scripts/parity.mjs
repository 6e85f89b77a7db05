// Compares the public names of CPython's socket and selectors modules with ours, and writes docs/parity.md: each name
// with the test that uses it, or the reason why it is absent; then how many tests each group of CPython's own has on both
// sides. CPython's names are those of parity/names.txt, and of the CPython on this machine.
//
//   node scripts/parity.mjs           writes docs/parity.md; runs the tests of the groups to count them
//   node scripts/parity.mjs --names   writes it with the counts that it has
//   node scripts/parity.mjs --check   says what is untrue in it, and exits 1; runs no test, asks no CPython
//   node scripts/parity.mjs --ask     says what the CPython of this machine has and neither we nor names.txt have
//
// A page that is true is not stale: a new test elsewhere changes nothing. Reads dist/ and test/.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ABSENT } from "./parity/absent.mjs";
import { countsOf, GROUPS, theirCount } from "./parity/groups.mjs";
import { classOf, exportsOf, fieldsOf } from "./parity/ours.mjs";
import { testIndex } from "./parity/tests.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const page = join(root, "docs/parity.md");
const PYTHON = "/usr/bin/python3";

/** @returns {{ section: string, since: string, names: string[] }[]} */
function recorded() {
  const text = readFileSync(join(root, "scripts/parity/names.txt"), "utf8");
  return [...text.matchAll(/^\[(\S+) (\S+)\]\n((?:.+\n?)+)/gm)].map(([, section, since, names]) => ({
    section,
    since,
    names: names.trim().split(/\s+/),
  }));
}

/** What the CPython of this machine has and names.txt does not. */
function unrecorded(sections) {
  const program = `
import json, selectors, socket
public = lambda thing: [name for name in dir(thing) if not name.startswith("_")]
classes = {f"selectors.{c}": getattr(selectors, c) for c in ("BaseSelector", "DefaultSelector", "SelectSelector",
  "PollSelector", "EpollSelector", "SelectorKey") if hasattr(selectors, c)}
print(json.dumps({name: public(thing) for name, thing in
  {"socket": socket, "socket.socket": socket.socket, "selectors": selectors, **classes}.items()}))`;
  const theirs = JSON.parse(execFileSync(PYTHON, ["-c", program]).toString());
  return Object.entries(theirs).map(([section, names]) => {
    const known = new Set(
      sections.filter((entry) => entry.section === section).flatMap((entry) => entry.names),
    );
    return { section, since: "this machine", names: names.filter((name) => !known.has(name)) };
  });
}

const reasonOf = (section, name) =>
  Object.entries(ABSENT[section] ?? {}).find(([, names]) => names.split(" ").includes(name))?.[0];

/** Where a name of CPython's is here: "socket.recv" → "Socket.recv"; undefined: nowhere. */
async function placeOf(section, name) {
  if (section === "socket") return (await exportsOf("index")).has(name) ? name : undefined;
  if (section === "selectors") return (await exportsOf("selectors/index")).has(name) ? name : undefined;
  if (section === "socket.socket")
    return (await classOf("index", "Socket")).has(name) ? `Socket.${name}` : undefined;
  const type = section.replace("selectors.", "");
  const members =
    type === "SelectorKey" ? fieldsOf("selectors/key", type) : await classOf("selectors/index", type);
  return members.has(name) ? `${type}.${name}` : undefined;
}

/** The rows of one section: [name, since, place or reason, test file or ""]. */
async function rowsOf({ section, since, names }, before, problems) {
  const rows = [];
  for (const name of names.toSorted()) {
    const place = await placeOf(section, name);
    const reason = reasonOf(section, name);
    const what = `${section}'s ${name}`;
    if (place !== undefined && reason !== undefined)
      problems.push(`${what} is exported, and scripts/parity/absent.mjs says why it is absent`);
    if (place === undefined && reason === undefined)
      problems.push(`${what} is neither exported nor in scripts/parity/absent.mjs`);
    if (place === undefined) {
      rows.push([name, since, `– ${reason ?? "?"}`, ""]);
      continue;
    }
    const tested = testIndex(root).testOf(place, before.get(`${section} ${name}`));
    if (tested === undefined) problems.push(`${what} is exported, and no test uses it`);
    rows.push([name, since, `\`${place}\``, tested ?? ""]);
  }
  return rows;
}

/** The tests that the page names now: "section name" → file. */
function testsIn(text) {
  const found = new Map();
  let section = "";
  for (const line of text.split("\n")) {
    section = /^## `(.+)`$/.exec(line)?.[1] ?? section;
    const row = /^\| `(\S+)` \| .*\| (test\/\S+) \|$/.exec(line);
    if (row) found.set(`${section} ${row[1]}`, row[2]);
  }
  return found;
}

/** The counts that the page names now: group → ours. */
function countsIn(text) {
  const rows = text.matchAll(/^\| ([^|`]+) \| (\d+) \| (\d+) \|/gm);
  return new Map([...rows].map(([, group, , ours]) => [group, Number(ours)]));
}

const HEAD = `# Parity with CPython

What CPython's \`socket\` and \`selectors\` have, and where it is here. Written by \`node scripts/parity.mjs\` from the names
of CPython 3.11 to 3.15 (\`scripts/parity/names.txt\`), from what this package exports, and from its tests; a test fails
when something below is not true. Both faces, \`berkeley\` and \`berkeley/sync\`, have the same names.

What differs on purpose: arguments by keyword are one options object, last; waiting calls of \`berkeley\` give promises;
tuples are arrays, \`bytes\` are Buffers, \`None\` is \`null\`; the address of an unnamed Unix socket is "", an abstract name
is a Buffer that begins with NUL; strings are sent as UTF-8. \`OSError\` is \`SocketError\`, \`gaierror\` and \`herror\` are
\`AddressError\`, \`timeout\` is \`TimeoutError\`, \`ValueError\` and \`OverflowError\` are \`RangeError\`s and \`TypeError\`s with a
code. A constant that this system lacks is -1 and not absent.
`;

const BEHAVIOUR = `CPython's own \`test_socket\` and \`test_selectors\` (3.11) in groups, with the number of their test methods, and
the number of ours, as the runner counted them when this page was written. Theirs count again in each class that inherits
them; ours in each kind of socket and each face that a table runs them with. Ours are written from documentation and man
pages, and have more than theirs: promises, signals, memory, order, leaks.`;

const NAMES = `The last column has a test that uses the name; where it is \`test/parity/values.test.ts\`, that is the comparison of the number
with the system's headers.`;

const table = (head, rows) =>
  [
    `| ${head.join(" | ")} |`,
    `|${head.map(() => "---|").join("")}`,
    ...rows.map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");

async function write(before, problems, counts) {
  const sections = recorded();
  const parts = [HEAD];
  const groupRows = GROUPS.map((group) => [
    group.name,
    theirCount(group),
    counts.get(group.name) ?? 0,
    group.files.map((file) => `\`${file}\``).join(" "),
    group.note ?? "",
  ]);
  const sum = (column) => groupRows.reduce((total, row) => total + row[column], 0);
  parts.push(
    "## Behaviour\n",
    `${BEHAVIOUR}\n`,
    table(
      ["group", "CPython", "here", "our files", "what is left out, and why"],
      [...groupRows, ["all", sum(1), sum(2), "", ""]],
    ),
    "",
  );
  for (const section of new Set(sections.map((entry) => entry.section))) {
    const rows = [];
    for (const entry of sections.filter((each) => each.section === section))
      rows.push(...(await rowsOf(entry, before, problems)));
    const there = rows.filter(([, since, place]) => since !== "elsewhere" && !place.startsWith("–")).length;
    const owed = rows.filter(([, since]) => since !== "elsewhere").length;
    parts.push(
      `## \`${section}\`\n`,
      `${there} of ${owed} names that CPython has on Linux are here; the others have their reason.${
        section === "socket" ? ` ${NAMES}` : ""
      }\n`,
      table(
        ["CPython", "since", "here", "used by"],
        rows.map(([name, ...rest]) => [`\`${name}\``, ...rest]),
      ),
      "",
    );
  }
  return parts.join("\n");
}

const before = existsSync(page) ? readFileSync(page, "utf8") : "";
const problems = [];
const [how] = process.argv.slice(2);
if (how === "--ask") for (const entry of unrecorded(recorded())) await rowsOf(entry, new Map(), problems);
else {
  for (const { name, files } of GROUPS)
    for (const file of files)
      if (!existsSync(join(root, file)))
        problems.push(`the group "${name}" names ${file}, which is not there`);
  const counts = how === undefined ? countsOf(root) : countsIn(before);
  const text = await write(testsIn(before), problems, counts);
  if (how !== "--check") writeFileSync(page, text);
  else if (text !== before)
    problems.push("docs/parity.md is stale: node scripts/parity.mjs --names, and commit it");
}
for (const problem of problems) console.error(`parity: ${problem}`);
process.exitCode = problems.length === 0 ? 0 : 1;
