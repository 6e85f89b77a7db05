// `berkeley serve`: files of a folder, for curl and for the command's own client.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { berkeley, run } from "../support/cli.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";

const curl = requirePeer("curl");
const ANY = ["--listen", "tcp://127.0.0.1:0"];

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "berkeley-serve-"));
  writeFileSync(join(folder, "a.txt"), "hello\n");
  writeFileSync(join(folder, ".hidden"), "secret");
  writeFileSync(join(folder, `<b> & "c".txt`), "odd");
  mkdirSync(join(folder, "empty"));
  mkdirSync(join(folder, "site"));
  writeFileSync(join(folder, "site", "index.html"), "<p>site");
  symlinkSync("/etc", join(folder, "out"));
  symlinkSync("a.txt", join(folder, "link.txt"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Where it says that it serves. */
async function urlOf(child: Child): Promise<string> {
  return (await child.line(/^serving .* on (http:\/\/\S+)\/$/m))[1] as string;
}

async function get(url: string, ...more: string[]): Promise<string> {
  return (await start(curl.path, ["-sS", ...more, url]).succeeded()).stdout.toString();
}

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`serve answers curl with files, prints each request, and ends with 0 at ${signal}`, {
    skip: curl.skip,
  }, async () => {
    await using child = berkeley(["serve", ...ANY, folder]);
    const url = await urlOf(child);
    assert.equal(await get(`${url}/a.txt`), "hello\n");
    assert.equal(await get(`${url}/link.txt`), "hello\n");
    assert.equal(await get(`${url}/site/`), "<p>site");
    assert.equal(await get(`${url}/a.txt`, "-r", "1-3"), "ell");
    for (const path of ["/", "/.hidden", "/out/passwd", "/no", "/%2e%2e/etc/passwd", "/empty/"])
      assert.equal(
        await get(`${url}${path}`, "-o", "/dev/null", "-w", "%{http_code}", "--path-as-is"),
        "404",
      );
    assert.equal(await get(`${url}/a.txt`, "-o", "/dev/null", "-w", "%{http_code}", "-d", "x"), "405");
    await child.line(/^127\.0\.0\.1:\d+ GET \/a\.txt 200$/m);
    await child.line(/^127\.0\.0\.1:\d+ GET \/a\.txt 206$/m);
    await child.line(/^127\.0\.0\.1:\d+ POST \/a\.txt 405$/m);
    child.kill(signal);
    await child.succeeded();
  });

test("serve --list lists what it serves, escaped, and nothing else", { skip: curl.skip }, async () => {
  await using child = berkeley(["serve", ...ANY, "--list", "--quiet", folder]);
  const url = await urlOf(child);
  const page = await get(`${url}/`);
  const links = [...page.matchAll(/href="([^"]*)">([^<]*)</g)].map(([, link, shown]) => [link, shown]);
  assert.deepEqual(links, [
    ["./empty/", "empty/"],
    ["./site/", "site/"],
    ["./%3Cb%3E%20%26%20%22c%22.txt", "&lt;b&gt; &amp; &quot;c&quot;.txt"],
    ["./a.txt", "a.txt"],
    ["./link.txt", "link.txt"],
  ]);
  assert.equal(await get(`${url}/${(links[2] as string[])[0]}`), "odd");
  assert.equal(await get(`${url}/site/`), "<p>site");
  assert.match(await get(`${url}/empty/`), /<h1>\/empty\/<\/h1>[^]*href="\.\.\/"/);
  assert.match(await get(`${url}/empty`, "-i"), /^HTTP\/1\.1 301 [^]*\r\nLocation: \/empty\/\r\n/);
  for (const path of ["/out/", "/.hidden/", "/no/"])
    assert.equal(await get(`${url}${path}`, "-o", "/dev/null", "-w", "%{http_code}"), "404");
  const head = await get(`${url}/`, "-I");
  assert.match(head, /\r\nContent-Security-Policy: default-src 'none'/);
  assert.equal(child.output().toString().split("\n").length, 2);
});

test("serve --compress compresses for who takes it, over a Unix socket", { skip: curl.skip }, async () => {
  writeFileSync(join(folder, "large.txt"), "text ".repeat(10_000));
  const socket = join(folder, ".socket");
  await using child = berkeley(["serve", "--listen", `unix://${socket}`, "--compress", folder]);
  await child.line(/^serving .* on unix:\/\//m);
  const text = await get("http://a/large.txt", "--unix-socket", socket, "--compressed", "-D", "-");
  assert.match(text, /\r\nContent-Encoding: /i);
  assert.ok(text.endsWith("text ".repeat(10_000)));
});

for (const [what, args, message, status] of [
  ["a folder that is not there", ["/no/such"], /cannot serve \/no\/such: ENOENT/, 1],
  ["a file", [process.execPath], /it is no folder/, 1],
  ["datagrams", ["--listen", "udp://:0"], /--listen takes tcp:\/\/, tls:\/\/ or unix:\/\//, 2],
] as const)
  test(`serve refuses ${what}`, async () => {
    const { code, stderr } = await run(["serve", ...args]);
    assert.match(stderr.toString(), message);
    assert.equal(code, status);
  });
