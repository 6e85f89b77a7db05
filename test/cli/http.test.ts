// `berkeley http`: what it sends, what it writes and where, and how it says what went wrong.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { serve } from "berkeley/http";
import type { HttpHandler } from "berkeley/http";
import { serving } from "../http/serving.ts";
import { listenAt } from "../support/berkeley-tcp.ts";
import { OPENSSL, certificates } from "../support/certificates.ts";
import { berkeley, run } from "../support/cli.ts";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "berkeley-http-command-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const LARGE = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251));

const site: HttpHandler = async (asked, reply) => {
  const range = /^bytes=(\d+)-$/.exec(asked.fields.get("range") ?? "")?.[1];
  if (asked.path === "/large" && range !== undefined) {
    const from = Number(range);
    if (from >= LARGE.length) reply.send(416, { "Content-Range": `bytes */${LARGE.length}` });
    else {
      const described = { "Content-Range": `bytes ${from}-${LARGE.length - 1}/${LARGE.length}` };
      reply.send(206, described, LARGE.subarray(from));
    }
  } else if (asked.path === "/large") reply.send(200, {}, LARGE);
  else if (asked.path === "/whole") reply.send(200, {}, "the whole");
  else if (asked.path === "/moved") reply.send(302, { Location: "/whole" }, "moved\n");
  else if (asked.path === "/empty") reply.send(204);
  else if (asked.path === "/accepted") reply.send(202, {}, "later\n");
  else if (asked.path === "/part") reply.send(206, {}, "which?");
  else if (asked.path === "/missing") reply.send(404, {}, "nothing here\n");
  else if (asked.path === "/cut") {
    reply.begin(200, {}, { length: 100 });
    await reply.write("abc");
    throw new Error("cut");
  } else {
    const { method, target } = asked;
    const headers = Object.fromEntries(asked.fields);
    reply.send(200, { "X-A": "b" }, JSON.stringify({ method, target, headers, content: await asked.text() }));
  }
};

interface Seen {
  readonly method: string;
  readonly target: string;
  readonly headers: Record<string, string>;
  readonly content: string;
}

async function ask(url: string, ...args: string[]): Promise<Seen> {
  const { code, stdout, stderr } = await run(["http", ...args, url]);
  assert.equal(code, 0, stderr.toString());
  return JSON.parse(stdout.toString()) as Seen;
}

test("http writes the content of the answer to standard output, and nothing else", async () => {
  await using at = await serving({ handle: site });
  const seen = await ask(`${at.url}/a?b#c`);
  assert.deepEqual(seen, {
    method: "GET",
    target: "/a?b",
    headers: { host: `127.0.0.1:${at.port}`, "user-agent": "berkeley", accept: "*/*" },
    content: "",
  });
  const { stdout, stderr } = await run(["http", `127.0.0.1:${at.port}/large`]);
  assert.ok(stdout.equals(LARGE));
  assert.equal(stderr.toString(), "");
});

test("http sends -X, -H and -d, from the command line, a file and standard input", async () => {
  await using at = await serving({ handle: site });
  const posted = await ask(at.url, "-d", "a=b");
  assert.deepEqual([posted.method, posted.content], ["POST", "a=b"]);
  assert.equal(posted.headers["content-type"], "application/x-www-form-urlencoded");
  const file = join(folder, "data");
  writeFileSync(file, "from a file");
  const put = await ask(
    at.url,
    "-X",
    "PUT",
    "-H",
    "Content-Type: text/plain",
    "-H",
    "X-Y:  z",
    "-d",
    `@${file}`,
  );
  assert.deepEqual([put.method, put.content], ["PUT", "from a file"]);
  assert.equal(put.headers["content-type"], "text/plain");
  assert.equal(put.headers["content-length"], "11");
  assert.equal(put.headers["x-y"], "z");
  await using child = berkeley(["http", "-d", "@-", at.url], { input: "from a pipe" });
  const piped = JSON.parse((await child.succeeded()).stdout.toString()) as Seen;
  assert.deepEqual([piped.method, piped.content], ["POST", "from a pipe"]);
});

test("http -i writes the head before the content, and -I the head alone", async () => {
  await using at = await serving({ handle: site });
  const whole = (await run(["http", "-i", `${at.url}/missing`])).stdout.toString();
  assert.match(whole, /^HTTP\/1\.1 404 Not Found\r\nDate: [^]*\r\n\r\nnothing here\n$/);
  const head = (await run(["http", "-I", `${at.url}/whole`])).stdout.toString();
  assert.match(head, /^HTTP\/1\.1 200 OK\r\n[^]*Content-Length: 9\r\n\r\n$/);
});

test("http -o writes into a file, and --resume goes on where it ends", async () => {
  await using at = await serving({ handle: site });
  const file = join(folder, "large");
  const get = async (path: string, ...args: string[]): Promise<number | null> =>
    (await run(["http", "-o", file, ...args, `${at.url}${path}`])).code;
  assert.equal(await get("/large"), 0);
  assert.ok(readFileSync(file).equals(LARGE));
  writeFileSync(file, LARGE.subarray(0, 40_000));
  assert.equal(await get("/large", "--resume"), 0);
  assert.ok(readFileSync(file).equals(LARGE));
  assert.equal(await get("/large", "--resume"), 0, "it is all here");
  assert.ok(readFileSync(file).equals(LARGE));
  // A server that knows no parts sends it all again.
  assert.equal(await get("/whole", "--resume"), 0);
  assert.equal(readFileSync(file, "utf8"), "the whole");
  assert.equal(await get("/missing", "--resume"), 1);
  for (const path of ["/moved", "/empty", "/accepted", "/part"])
    assert.equal(await get(path, "--resume"), 1, `what ${path} says is not the rest of the file`);
  assert.equal(readFileSync(file, "utf8"), "the whole");
  rmSync(file);
  assert.equal(await get("/large", "--resume"), 0, "there was no file");
  assert.ok(readFileSync(file).equals(LARGE));
});

test("http --progress shows how far it is on standard error, and --no-progress nothing", async () => {
  await using at = await serving({ handle: site });
  const file = join(folder, "shown");
  const { stderr } = await run(["http", "--progress", "-o", file, `${at.url}/large`]);
  const [, , last] = stderr.toString().split("\r\x1b[K");
  assert.match(last as string, /^\[#{24}\] 100 % {2}98 KiB of 98 KiB {2}\S+ \S+\/s\n$/);
  assert.equal((await run(["http", "--no-progress", "-o", file, `${at.url}/large`])).stderr.toString(), "");
});

test("http -L follows redirections, and without it shows them", async () => {
  await using at = await serving({ handle: site });
  assert.equal((await run(["http", `${at.url}/moved`])).stdout.toString(), "moved\n");
  assert.equal((await run(["http", "-L", `${at.url}/moved`])).stdout.toString(), "the whole");
});

test("http --compressed decompresses", async () => {
  await using at = await serving({ handle: site, compress: { bytesMin: 0 } });
  const { headers } = await ask(at.url, "--compressed");
  assert.match(headers["accept-encoding"] as string, /gzip/);
});

test("http --fail ends with 1 where the server answers 400 and above", async () => {
  await using at = await serving({ handle: site });
  const { code, stdout, stderr } = await run(["http", "--fail", `${at.url}/missing`]);
  assert.equal(code, 1);
  assert.equal(stdout.toString(), "");
  assert.equal(stderr.toString(), "berkeley: the server answered 404 Not Found\n");
  assert.equal((await run(["http", `${at.url}/missing`])).code, 0);
});

test("http --unix-socket asks a server there", async () => {
  const path = join(folder, "socket");
  await using _ = await serve({ path, handle: site });
  assert.equal((await ask("http://name/x", "--unix-socket", path)).headers["host"], "name");
});

test("http says how much of a content that was cut off is in the file", async () => {
  await using at = await serving({ handle: site });
  const file = join(folder, "cut");
  const { code, stderr } = await run(["http", "-o", file, `${at.url}/cut`]);
  assert.equal(code, 1);
  assert.match(stderr.toString(), /ERR_HTTP_UNEXPECTED_END.*; 3 bytes are in the file, and --resume goes on/);
  assert.equal(readFileSync(file, "utf8"), "abc");
});

test("http speaks https: with whom --ca vouches for, and serve --listen tls:// with who asks", {
  skip: OPENSSL.skip,
}, async () => {
  const { authority, server } = certificates();
  writeFileSync(join(folder, "page"), "secure");
  const own = ["--cert", server.certificatePath, "--key", server.keyPath];
  await using child = berkeley(["serve", "--listen", "tls://127.0.0.1:0", ...own, folder]);
  const [, url] = await child.line(/^serving .* on (https:\/\/\S+)$/m);
  const trusted = await run(["http", "--ca", authority.certificatePath, `${url}page`]);
  assert.equal(trusted.stderr.toString(), "");
  assert.equal(trusted.stdout.toString(), "secure");
  const stranger = await run(["http", `${url}page`]);
  assert.equal(stranger.code, 1);
  assert.match(stranger.stderr.toString(), /^berkeley: TLS: /);
  assert.equal((await run(["http", "--insecure", `${url}page`])).stdout.toString(), "secure");
});

test("http --timeout gives up", async () => {
  await using at = await serving({ handle: () => new Promise(() => {}) });
  const { code, stderr } = await run(["http", "-w", "0.2", at.url]);
  assert.equal(code, 1);
  assert.match(stderr.toString(), /^berkeley: the request took longer than /);
});

test("http says that nobody listens, and makes no file", async () => {
  const listener = listenAt();
  const { port } = listener;
  listener[Symbol.dispose]();
  const file = join(folder, "none");
  const { code, stderr } = await run(["http", "-o", file, `http://127.0.0.1:${port}/`]);
  assert.equal(code, 1);
  assert.match(stderr.toString(), /^berkeley: connect ECONNREFUSED/);
  assert.ok(!existsSync(file));
});

for (const [what, args, message] of [
  ["what is no URL", ["http://["], /is not a URL/],
  ["another scheme", ["ftp://a/"], /ftp:\/\/ is not known here/],
  ["a header without a colon", ["-H", "x", "a"], /--header is 'Name: value'/],
  ["a header with CR LF", ["-H", "X: a\r\nY: b", "127.0.0.1:1"], /control/],
  ["--ca for http:", ["--ca", "x", "127.0.0.1:1"], /are for https:\/\/ URLs/],
  ["--resume without a file", ["-C", "a"], /--resume goes with --output/],
  ["--resume of what is sent", ["-C", "-o", "x", "-d", "y", "a"], /--resume goes without/],
  ["a method that is none", ["-X", "G T", "127.0.0.1:1"], /is no method/],
] as const)
  test(`http refuses ${what} with status 2`, async () => {
    const { code, stderr } = await run(["http", ...args]);
    assert.match(stderr.toString(), message);
    assert.equal(code, 2);
  });
