// The page of `berkeley push` in Chromium: lines as they come, hostile ones as text, a server that is away and back.

import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { CHROMIUM, startChromium, until } from "../support/chromium.ts";
import { berkeley } from "../support/cli.ts";
import { folder } from "../support/files.ts";

const HOSTILE = [
  "<script>document.title='broken'</script>",
  '"><img src=x onerror="document.title=\'broken\'">',
  "</div></main>&lt;&amp;",
  "\u001b[31mred\u0007",
  "\u202egnp.exe",
  "__proto__",
];

test("berkeley push shows Chromium each line as text while the file grows, and again after a restart", {
  skip: CHROMIUM.skip,
}, async () => {
  using files = folder();
  const path = files.path("<b>&.log");
  writeFileSync(path, "before\n");
  await using browsing = await startChromium();
  const child = berkeley(["push", "-l", "tcp://127.0.0.1:0", path]);
  const [, url = ""] = await child.line(/ on (http:\S+)\n/);
  const page = await browsing.open(url);
  const shown = '[...document.querySelectorAll("#lines div")].map((line) => line.textContent)';
  const shows = (count: number) => until(page, `document.querySelectorAll("#lines div").length >= ${count}`);
  await shows(1);
  assert.equal(await page.title(), "<b>&.log");
  for (const line of HOSTILE) appendFileSync(path, `${line}\n`);
  await shows(1 + HOSTILE.length);
  const lines = ["before", ...HOSTILE.map((line) => line.replace("\u001b", "␛").replace("\u0007", "␇"))];
  assert.deepEqual(await page.evaluate(shown), lines);
  assert.equal(await page.title(), "<b>&.log");
  assert.equal(await page.evaluate('document.querySelectorAll("img, #lines *:not(div)").length'), 0);
  assert.deepEqual(browsing.errors, []);
  appendFileSync(path, "x\n".repeat(10_000));
  appendFileSync(path, "the last one\n");
  await until(page, 'document.querySelector("#lines div:last-child").textContent === "the last one"');
  assert.equal(await page.evaluate('document.querySelectorAll("#lines div").length'), 5000);
  assert.equal(
    await page.evaluate(
      "document.documentElement.scrollTop + document.documentElement.clientHeight >= document.documentElement.scrollHeight - 40",
    ),
    true,
  );
  child.kill("SIGTERM");
  await child.exited;
  await until(page, 'document.querySelector("#state").textContent.startsWith("disconnected")');
  const { port } = new URL(url);
  await using again = berkeley(["push", "-n", "3", "-l", `tcp://127.0.0.1:${port}`, path]);
  await again.line(/ on http/);
  await until(page, 'document.querySelector("#state").textContent === "following"');
  await until(page, 'document.querySelectorAll("#lines div").length === 3');
  assert.deepEqual(await page.evaluate(shown), ["x", "x", "the last one"]);
});
