// staticFiles(): what is there, what is hidden, conditions and parts, against curl, and by sendfile(2) where it can be.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { staticFiles } from "berkeley/http";
import type { StaticOptions } from "berkeley/http";
import { fromDuplex } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { openFiles } from "../support/descriptors.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import { get, serving } from "./serving.ts";
import type { Answer, Serving } from "./serving.ts";

const curl = requirePeer("curl");

const base = mkdtempSync(join(tmpdir(), "berkeley-static-"));
after(() => rmSync(base, { recursive: true }));
const folder = join(base, "public");
const long = Buffer.alloc(1_500_000, "0123456789abcdef");
for (const name of ["", "sub", ".git"]) mkdirSync(join(folder, name), { recursive: true });
for (const [name, content] of Object.entries({
  "index.html": "<h1>home</h1>",
  "a b.txt": "0123456789",
  "empty.txt": "",
  "long.bin": long,
  "sub/index.html": "<h1>sub</h1>",
  ".secret": "secret",
  ".git/config": "secret",
  "../outside.txt": "secret",
  "../public-too.txt": "secret",
}))
  writeFileSync(join(folder, name), content);
symlinkSync("../outside.txt", join(folder, "leads-out.txt"));
symlinkSync("..", join(folder, "leads-up"));
symlinkSync(".git", join(folder, "leads-to-git"));
symlinkSync("a b.txt", join(folder, "stays.txt"));
execFileSync("mkfifo", [join(folder, "pipe")]);

const files = (options?: StaticOptions): Promise<Serving> =>
  serving({ handle: staticFiles(folder, options) });

async function ask(at: Serving, target: string, lines: string = "", method: string = "GET"): Promise<Answer> {
  await using client = await at.connect();
  await client.send(get(target, lines, method));
  return await client.answer(method);
}

test("staticFiles() serves files with their type, length, tag and date", async () => {
  await using at = await files();
  const { status, text, fields } = await ask(at, "/a%20b.txt?query");
  assert.deepEqual([status, text], [200, "0123456789"]);
  assert.equal(fields["content-type"], "text/plain; charset=utf-8");
  assert.equal(fields["content-length"], "10");
  assert.equal(fields["accept-ranges"], "bytes");
  assert.equal(fields["cache-control"], "no-cache");
  assert.match(fields["etag"] as string, /^"[0-9a-z]+-[0-9a-z]+"$/);
  assert.ok(Date.parse(fields["last-modified"] as string) > 0);
  assert.equal((await ask(at, "/empty.txt")).fields["content-length"], "0");
  assert.equal((await ask(at, "/long.bin")).text, long.toString("latin1"));
  assert.equal((await ask(at, "/stays.txt")).text, "0123456789");
  const head = await ask(at, "/long.bin", "", "HEAD");
  assert.deepEqual([head.text, head.fields["content-length"]], ["", String(long.length)]);
});

test("staticFiles() serves a folder's index, and sends who forgets the slash there", async () => {
  await using at = await files();
  assert.equal((await ask(at, "/")).text, "<h1>home</h1>");
  assert.equal((await ask(at, "/sub/")).text, "<h1>sub</h1>");
  const moved = await ask(at, "/sub?a=b");
  assert.deepEqual([moved.status, moved.fields["location"]], [301, "/sub/?a=b"]);
  await using without = await files({ index: false, prefix: "/files", cacheControl: "max-age=60" });
  assert.equal((await ask(without, "/files/sub/")).status, 404);
  assert.equal((await ask(without, "/files/sub")).status, 404);
  assert.equal((await ask(without, "/")).status, 404);
  const file = await ask(without, "/files/a%20b.txt");
  assert.deepEqual([file.text, file.fields["cache-control"]], ["0123456789", "max-age=60"]);
});

for (const path of `/none /none/ /a%20b.txt/ /a%20b.txt/x /.secret /.git/config /%2esecret /%2egit/config /../outside.txt
  /%2e%2e/outside.txt /..%2foutside.txt /sub/..%2f..%2foutside.txt /sub/%2e%2e/%2e%2e/outside.txt /leads-out.txt
  /leads-up/outside.txt /leads-to-git/config /../public-too.txt /%2e%2e%5coutside.txt /a%20b.txt%00 /a%20b.txt%00.html
  //etc/passwd /sub//index.html /pipe /%2fetc%2fpasswd /%c0%ae%c0%ae/outside.txt`.split(/\s+/))
  test(`staticFiles() does not find ${path}`, async () => {
    await using at = await files();
    assert.deepEqual([(await ask(at, path)).status, at.errors], [404, []]);
  });

test("staticFiles() refuses other methods with 405, and forwards no one to another host", async () => {
  await using at = await files();
  const refused = await ask(at, "/", "", "DELETE");
  assert.deepEqual([refused.status, refused.fields["allow"]], [405, "GET, HEAD"]);
  assert.equal((await ask(at, "//sub")).status, 404);
});

test("staticFiles() answers conditions", async () => {
  await using at = await files();
  const { etag, "last-modified": modified } = (await ask(at, "/a%20b.txt")).fields;
  const same = await ask(at, "/a%20b.txt", `If-None-Match: ${etag}\r\n`);
  assert.deepEqual([same.status, same.text, same.fields["etag"]], [304, "", etag]);
  assert.equal((await ask(at, "/a%20b.txt", `If-Modified-Since: ${modified}\r\n`)).status, 304);
  assert.equal((await ask(at, "/a%20b.txt", 'If-Match: "other"\r\n')).status, 412);
  assert.equal((await ask(at, "/a%20b.txt", `Range: bytes=0-1\r\nIf-Range: ${etag}\r\n`)).text, "01");
  assert.equal((await ask(at, "/a%20b.txt", 'Range: bytes=0-1\r\nIf-Range: "other"\r\n')).text, "0123456789");
});

test("staticFiles() answers with parts: one, several, none", async () => {
  await using at = await files();
  const one = await ask(at, "/a%20b.txt", "Range: bytes=2-4\r\n");
  assert.deepEqual([one.status, one.text, one.fields["content-range"]], [206, "234", "bytes 2-4/10"]);
  const none = await ask(at, "/a%20b.txt", "Range: bytes=10-\r\n");
  assert.deepEqual([none.status, none.fields["content-range"]], [416, "bytes */10"]);
  assert.equal((await ask(at, "/a%20b.txt", "Range: lines=1-2\r\n")).status, 200);
  assert.equal((await ask(at, "/a%20b.txt", "Range: bytes=0-1\r\n", "HEAD")).status, 200);
  const several = await ask(at, "/a%20b.txt", "Range: bytes=0-1,-2\r\n");
  assert.equal(several.status, 206);
  const boundary = /^multipart\/byteranges; boundary=(\S+)$/.exec(
    several.fields["content-type"] as string,
  )?.[1];
  const part = (range: string, text: string): string =>
    `\r\n--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes ${range}/10\r\n\r\n${text}`;
  assert.equal(several.text, `${part("0-1", "01")}${part("8-9", "89")}\r\n--${boundary}--\r\n`);
  assert.equal(several.fields["content-length"], String(several.text.length));
});

test("staticFiles() resumes a download of curl's, and gives curl the parts it asks for", {
  skip: curl.skip,
}, async () => {
  await using at = await files();
  const target = join(base, "download");
  writeFileSync(target, long.subarray(0, 1_000_000));
  const resumed = start(curl.path, ["-sS", "-C", "-", "-o", target, `${at.url}/long.bin`]);
  await resumed.succeeded();
  assert.ok(long.equals(readFileSync(target)));
  const part = start(curl.path, ["-sS", "-r", "100-131", `${at.url}/long.bin`]);
  assert.deepEqual((await part.succeeded()).stdout, long.subarray(100, 132));
});

test("staticFiles() serves over a stream that has no sendfile(2)", async () => {
  // A Node socket as the stream of a connection: no socket of ours beneath.
  const streams: ByteStream[] = [];
  let wake: (() => void) | undefined;
  const node = createServer((socket) => {
    streams.push(fromDuplex(socket));
    wake?.();
  });
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
  const listener = {
    closed: false,
    localAddress: ["127.0.0.1", (node.address() as { port: number }).port] as [string, number],
    async accept(): Promise<ByteStream> {
      while (streams.length === 0) {
        if (this.closed) throw new Error("closed");
        await new Promise<void>((resolve) => (wake = resolve));
      }
      return streams.shift() as ByteStream;
    },
    close(): void {
      this.closed = true;
      node.close();
      wake?.();
    },
    async [Symbol.asyncDispose]() {
      this.close();
    },
  };
  await using at = await serving({ handle: staticFiles(folder), listener });
  assert.equal((await ask(at, "/long.bin")).text, long.toString("latin1"));
  assert.equal((await ask(at, "/long.bin", "Range: bytes=16-31\r\n")).text, "0123456789abcdef");
});

test("HttpReply.writeFile() cuts the answer off when the file becomes shorter, and the connection is closed", async () => {
  const name = join(folder, "shrinks.bin");
  writeFileSync(name, long);
  const serve = staticFiles(folder);
  await using at = await serving({
    handle: async (request, reply) => {
      const begin = reply.begin.bind(reply);
      reply.begin = (...args) => {
        begin(...args);
        truncateSync(name, 1000);
      };
      await serve(request, reply);
    },
  });
  await using client = await at.connect();
  await client.send(get("/shrinks.bin") + get("/"));
  await assert.rejects(client.answer(), { code: "ERR_HTTP_UNEXPECTED_END" });
  assert.equal((at.errors[0] as { code: string }).code, "ERR_HTTP_BODY_TOO_SHORT");
});

test("staticFiles() closes each file, also of a client that goes away", async () => {
  await using at = await files();
  assert.equal((await ask(at, "/")).status, 200);
  const before = openFiles(base);
  for (let count = 0; count < 20; count++) {
    const client = await at.connect();
    await client.send(get("/long.bin"));
    await client.stream.receiveSome(100);
    client.stream.close();
  }
  while (at.server.stats().active > 0) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.deepEqual(openFiles(base), before);
  assert.deepEqual(at.errors, []);
});

test("staticFiles() lists the names in a folder without an index when it is told to, and nothing that is hidden", async () => {
  await using at = await files({ index: false, list: true, cacheControl: "no-store" });
  const { status, text, fields } = await ask(at, "/");
  assert.equal(status, 200);
  assert.equal(fields["content-type"], "text/html; charset=utf-8");
  assert.equal(fields["cache-control"], "no-store");
  assert.match(fields["content-security-policy"] as string, /default-src 'none'/);
  // Another test may have made a file by now.
  const links = [...text.matchAll(/href="([^"]*)"/g)]
    .map(([, link]) => link)
    .filter((link) => link !== "./shrinks.bin");
  assert.deepEqual(links, [
    "./sub/",
    "./a%20b.txt",
    "./empty.txt",
    "./index.html",
    "./long.bin",
    "./stays.txt",
  ]);
  assert.match(
    (await ask(at, "/sub/")).text,
    /<title>\/sub\/<\/title>[^]*href="\.\.\/"[^]*href="\.\/index\.html"/,
  );
  assert.equal((await ask(at, "/sub")).status, 301);
  assert.equal((await ask(at, "/", "", "HEAD")).text, "");
  for (const path of ["/.git/", "/leads-up/", "/leads-to-git/", "/none/", "/a%20b.txt/", "/../"])
    assert.deepEqual([path, (await ask(at, path)).status], [path, 404]);
  await using indexed = await files({ list: true });
  assert.equal((await ask(indexed, "/")).text, "<h1>home</h1>");
  assert.deepEqual([at.errors, indexed.errors], [[], []]);
});

test("staticFiles() serves and lists a file whose time no calendar of HTTP holds", async () => {
  // A file system in memory, which keeps any time.
  const far = mkdtempSync("/dev/shm/berkeley-static-");
  writeFileSync(join(far, "far.txt"), "far");
  execFileSync("touch", ["-d", "@9000000000000", join(far, "far.txt")]);
  await using at = await serving({ handle: staticFiles(far, { list: true }) });
  const { status, fields } = await ask(at, "/far.txt");
  assert.deepEqual([status, fields["last-modified"]], [200, "Fri, 31 Dec 9999 23:59:59 GMT"]);
  assert.match((await ask(at, "/")).text, /far\.txt<\/a><td>3<td>9999-12-31 23:59/);
  rmSync(far, { recursive: true });
});

test("staticFiles() refuses what is no folder's name", () => {
  assert.throws(() => staticFiles(1 as never), { code: "ERR_INVALID_ARG_TYPE" });
});
