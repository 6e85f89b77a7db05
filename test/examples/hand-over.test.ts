// hand-over: a server is restarted again and again, by its own kind and by its Python twin, while clients come without a
// pause. Not one may be refused, reset or left without its answer.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { create_connection } from "berkeley";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON } from "../support/python.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-hand-over-"));
after(() => rmSync(folder, { recursive: true }));

const languages = {
  TypeScript: (args: readonly string[]): Child =>
    start(process.execPath, [`${ROOT}out/examples/hand-over.js`, ...args]),
  Python: (args: readonly string[]): Child => start(PYTHON.path, [`${ROOT}examples/hand-over.py`, ...args]),
};

/** Clients that come one after another until they are told to end: what each of them was told. */
class Visitors {
  readonly served = new Map<string, number>();
  readonly failures: unknown[] = [];
  readonly #port: number;
  readonly #running: Promise<void>[];
  #ended = false;

  constructor(port: number, count: number) {
    this.#port = port;
    this.#running = Array.from({ length: count }, () => this.#visit());
  }

  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#running);
  }

  /** Waits until so many more have been served by a process. */
  async servedBy(pid: string, more: number): Promise<void> {
    const enough = (this.served.get(pid) ?? 0) + more;
    while ((this.served.get(pid) ?? 0) < enough && this.failures.length === 0)
      await new Promise((resolve) => setImmediate(resolve));
  }

  async #visit(): Promise<void> {
    for (let visit = 0; !this.#ended; visit++)
      try {
        using conn = await create_connection(["127.0.0.1", this.#port], { timeout: 60 });
        const word = `visit ${visit}`;
        await conn.sendall(`${word}\n`);
        await using file = conn.makefile("r");
        const [, pid, text] = /^(\d+) (.*)\n$/.exec(await file.readline()) ?? [];
        assert.equal(text, word);
        this.served.set(pid as string, (this.served.get(pid as string) ?? 0) + 1);
      } catch (error) {
        this.failures.push(error);
      }
  }
}

const ORDERS: [string, (keyof typeof languages)[]][] = [
  ["itself", ["TypeScript", "TypeScript", "TypeScript"]],
  ["its Python twin, and back", ["TypeScript", "Python", "TypeScript"]],
  ["it, for its Python twin, and back", ["Python", "TypeScript", "Python"]],
];
for (const [how, order] of ORDERS)
  test(`hand-over restarts by ${how}, and none of the clients that come meanwhile is refused or reset`, {
    skip: PYTHON.skip,
  }, async (t) => {
    const path = join(folder, how.replace(/\W/g, ""));
    const children: Child[] = [];
    t.after(() => Promise.all(children.map((child) => child[Symbol.asyncDispose]())));
    const begin = async (language: keyof typeof languages, port: string): Promise<[Child, string]> => {
      const child = languages[language]([path, "127.0.0.1", port]);
      children.push(child);
      const [, number] = await child.line(/^listening on \S+ (\d+)$/m);
      return [child, number as string];
    };
    let [running, port] = await begin(order[0] as keyof typeof languages, "0");
    const visitors = new Visitors(Number(port), 4);
    for (const language of order.slice(1)) {
      // Whoever is in the middle of a conversation is served to its end by whom it began with.
      using long = await create_connection(["127.0.0.1", Number(port)]);
      await using lines = long.makefile("rw");
      const say = async (word: string): Promise<string> => {
        await lines.write(`${word}\n`);
        await lines.flush();
        return lines.readline();
      };
      assert.equal(await say("one"), `${running.pid} one\n`);
      const [next] = await begin(language, "0");
      await visitors.servedBy(String(next.pid), 20);
      assert.equal(await say("two"), `${running.pid} two\n`);
      await running.line(/^handed over; to be finished: \d+$/m);
      await lines.close();
      long.close();
      await running.succeeded();
      running = next;
    }
    await visitors.end();
    assert.deepEqual(visitors.failures, []);
    assert.equal(visitors.served.size, order.length, "each of the processes has served some");
    assert.equal(existsSync(path), true);
  });
