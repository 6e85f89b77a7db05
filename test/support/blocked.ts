// What holds for every call that blocks its thread: what ends it, and what does not. The calls are in a program of their
// own (blocked-program.ts), which a test file names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { start } from "./process.ts";
import type { Child } from "./process.ts";

/** A blocked thread comes back within 50 ms; the rest is for a loaded machine. */
const PROMPT_MS = 5000;

/** Tests of calls that never come back by themselves. */
export function checkBlocked(program: string, calls: readonly string[]): void {
  const run = (scenario: string, call: string): Child => start(process.execPath, [program, scenario, call]);
  for (const call of calls) {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      test(`${call} that blocks the main thread dies by ${signal}, as in C`, async () => {
        await using child = run("main", call);
        await child.line(/^blocking$/m);
        child.kill(signal);
        const exit = await child.exited;
        assert.equal(exit.signal, signal);
        assert.equal(exit.stdout.toString(), "blocking\n");
      });

    test(`${call} that blocks a worker ends with terminate()`, async () => {
      await using child = run("worker", call);
      const [, code, ms] = await child.line(/^terminated: (\d+) (.*)$/m);
      assert.equal(code, "1");
      assert.ok(Number(ms) < PROMPT_MS, `${ms} ms`);
      await child.succeeded();
    });

    test(`${call} that blocks a worker ends with the process`, async () => {
      await using child = run("exit", call);
      const exit = await child.exited;
      assert.equal(exit.code, 7);
      assert.equal(exit.stdout.toString(), "");
    });
  }
}

/** Tests of calls that time out after `seconds`. */
export function checkInterrupted(program: string, calls: readonly string[], seconds: number): void {
  for (const call of calls)
    test(`${call} goes on with the time that is left when a handled signal interrupts it`, async () => {
      await using child = start(process.execPath, [program, "handled", call]);
      await child.line(/^blocking$/m);
      // The signals come all the time, from a timer: one between two looks at the clock would prove nothing.
      const signals = setInterval(() => child.kill("SIGUSR2"), 5);
      const ended = child.line(/^over: (.*)$/m).finally(() => clearInterval(signals));
      const [, ms] = await ended;
      assert.ok(Number(ms) >= seconds * 1000, `${ms} ms`);
      assert.ok(Number(ms) < seconds * 1000 + PROMPT_MS, `${ms} ms`);
      const { stdout } = await child.succeeded();
      assert.match(
        stdout.toString(),
        /over: .*\nhandled\n/,
        "the handler runs when the thread is free again",
      );
    });
}
