// Lookups that take long: on threads of their own, bounded, abortable, and harmless to a process or worker that ends.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { requirePeer } from "../support/peers.ts";

const THREADS = 16; // THREADS_MAX in native/names.c
const LOOKUPS = 20;

const folder = mkdtempSync(join(tmpdir(), "berkeley-names-"));
after(() => rmSync(folder, { recursive: true }));
const resolver = join(folder, "slow-resolver.so");
const cc = requirePeer("cc");
if (cc.skip === false)
  execFileSync(cc.path, ["-shared", "-fPIC", "-o", resolver, "test/names/slow-resolver.c"]);

/** A child with its slow resolver in the hands of the test. */
class Child {
  readonly #process;
  readonly #events: Duplex;
  readonly #gate: Duplex;
  readonly #ended: Promise<unknown[]>;
  readonly #output: Promise<string>;
  readonly #errors: Promise<string>;
  #seen = "";

  constructor(scenario: string) {
    const program = fileURLToPath(new URL("lookup-child.js", import.meta.url));
    this.#process = spawn(process.execPath, [program, scenario], {
      env: { ...process.env, LD_PRELOAD: [process.env["LD_PRELOAD"] ?? "", resolver].join(" ").trim() },
      stdio: ["ignore", "pipe", "pipe", "ipc", "pipe", "pipe"],
    });
    this.#ended = once(this.#process, "exit");
    this.#output = text(this.#process.stdout as NodeJS.ReadableStream);
    this.#errors = text(this.#process.stderr as NodeJS.ReadableStream);
    this.#events = (this.#process.stdio as readonly unknown[])[4] as Duplex;
    this.#gate = (this.#process.stdio as readonly unknown[])[5] as Duplex;
    this.#gate.on("error", () => undefined); // the child may be gone
    this.#events.on("data", (bytes: Buffer) => (this.#seen += bytes.toString()));
  }

  /** Until so many lookups have entered or left the resolver. */
  async seen(event: "e" | "l", count: number): Promise<void> {
    while (this.count(event) < count) await once(this.#events, "data");
  }

  count(event: "e" | "l"): number {
    return this.#seen.split(event).length - 1;
  }

  answer(count: number): void {
    this.#gate.write("x".repeat(count));
  }

  tell(): void {
    this.#process.send("now");
  }

  /** Exit code, output and errors. */
  async end(): Promise<{ status: unknown; output: string; errors: string }> {
    const [code, signal] = await this.#ended;
    this.#events.destroy();
    this.#gate.destroy();
    return { status: code ?? signal, output: await this.#output, errors: await this.#errors };
  }
}

test("getaddrinfo() keeps neither the loop nor file operations waiting, and runs 16 lookups at a time", {
  skip: cc.skip,
}, async () => {
  const child = new Child("all");
  await child.seen("e", THREADS);
  child.answer(1);
  await child.seen("e", THREADS + 1); // one left, the next one came
  assert.equal(child.count("l"), 1);
  child.answer(LOOKUPS - 1);
  await child.seen("l", LOOKUPS);
  const names = Array<string>(LOOKUPS).fill("EAI_NONAME").join(" ");
  assert.deepEqual(await child.end(), { status: 0, output: `read a file\n${names}\n`, errors: "" });
});

test("getaddrinfo() rejects at once when aborted, and a process with nothing else to wait for ends", {
  skip: cc.skip,
}, async () => {
  const child = new Child("abort");
  await child.seen("e", THREADS);
  child.tell();
  const errors = Array<string>(LOOKUPS).fill("20").join(" "); // DOMException.ABORT_ERR
  assert.deepEqual(await child.end(), { status: 0, output: `${errors}\n`, errors: "" });
  assert.equal(child.count("e"), THREADS, "a queued lookup that was aborted is not made");
});

test("a worker that ends with lookups running and queued neither hangs nor crashes the process", {
  skip: cc.skip,
}, async () => {
  const child = new Child("terminate");
  await child.seen("e", THREADS);
  child.tell();
  child.answer(THREADS);
  await child.seen("l", THREADS);
  child.tell();
  assert.deepEqual(await child.end(), { status: 0, output: "terminated 1\nalive\n", errors: "" });
});

test("a worker that ends while answers arrive neither hangs nor crashes the process", {
  skip: cc.skip,
}, async () => {
  const child = new Child("terminate");
  await child.seen("e", THREADS);
  child.answer(LOOKUPS);
  child.tell();
  child.tell();
  const { status, output, errors } = await child.end();
  assert.deepEqual([status, errors], [0, ""]);
  // 0 and undefined: the worker had its answers and ended by itself just before.
  assert.match(output, /^terminated (0|1|undefined)\nalive\n$/);
});

test("20 workers that end in a storm of answers leave the process alive", { skip: cc.skip }, async () => {
  assert.deepEqual(await new Child("storm").end(), { status: 0, output: "alive\n", errors: "" });
});

test("process.exit() with lookups running ends the process with its code", { skip: cc.skip }, async () => {
  const child = new Child("exit");
  await child.seen("e", THREADS);
  child.tell();
  assert.deepEqual(await child.end(), { status: 3, output: "", errors: "" });
});

test("a process whose lookups are answered ends by itself", { skip: cc.skip }, async () => {
  assert.deepEqual(await new Child("idle").end(), { status: 0, output: "answered\n", errors: "" });
});
