// A reporter of node:test that prints a dot for each test that ran and passed, and the name of one that failed.

export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type === "test:pass" && data.nesting === 0 && data.skip === undefined) yield ".";
    if (type === "test:fail") yield `\n${data.file}: ${data.name}\n`;
  }
}
