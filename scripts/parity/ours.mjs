// What this package has: the exports of its modules, the members of its classes, the fields of its interfaces. Reads the
// last build.

import { readFileSync } from "node:fs";

const dist = new URL("../../dist/", import.meta.url);

/** Names that a module of dist/ exports, types among them where the declarations say so. */
export async function exportsOf(module) {
  const values = Object.keys(await import(new URL(`${module}.js`, dist).href));
  const types = [
    ...readFileSync(new URL(`${module}.d.ts`, dist), "utf8").matchAll(/^export type \{([^}]*)\}/gm),
  ];
  return new Set([...values, ...types.flatMap(([, names]) => names.split(",").map((name) => name.trim()))]);
}

/** Members of a class and those below it. */
export async function classOf(module, name) {
  const made = (await import(new URL(`${module}.js`, dist).href))[name];
  const members = new Set();
  for (let at = made.prototype; at !== Object.prototype; at = Object.getPrototypeOf(at))
    for (const member of Object.getOwnPropertyNames(at)) members.add(member);
  return members;
}

/** Fields of an interface. */
export function fieldsOf(module, name) {
  const text = readFileSync(new URL(`${module}.d.ts`, dist), "utf8");
  const body = new RegExp(`^export interface ${name}\\b[^{]*\\{(.*?)^\\}`, "ms").exec(text)?.[1] ?? "";
  return new Set([...body.matchAll(/^ {4}(?:readonly )?(\w+)\??:/gm)].map(([, field]) => field));
}
