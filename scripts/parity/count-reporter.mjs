// A reporter of node:test that prints the path of its file for each test that ran and passed, and the name of one that
// failed.

export default async function* report(events) {
  for await (const { type, data } of events) {
    if (type === "test:pass" && data.nesting === 0 && data.skip === undefined) yield `${data.file}\n`;
    if (type === "test:fail") yield `${data.file}: ${data.name}\n`;
  }
}
