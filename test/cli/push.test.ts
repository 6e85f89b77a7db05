// `berkeley push`: what a WebSocket client sees of a file that grows, is truncated and replaced, and of standard input; who
// is let in; and lines from bytes.

import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, renameSync, rmdirSync, truncateSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { request } from "berkeley/http";
import { connect } from "berkeley/websocket";
import type { ConnectOptions, WebSocketConnection } from "berkeley/websocket";
import { LastLines, LineCutter } from "#dist/cli/push-lines.js";
import { berkeley, run } from "../support/cli.ts";
import { folder } from "../support/files.ts";
import type { Child } from "../support/process.ts";

const TEXT = "first\r\ngrüße 🙂\n\n<b>&\u001b[31m\nno end";
const LINES = ["first", "grüße 🙂", "", "<b>&␛[31m", "no end"];

test("LineCutter gives the same lines however the bytes are cut", () => {
  const bytes = Buffer.from(TEXT);
  for (let cut = 0; cut <= bytes.length; cut++) {
    const cutter = new LineCutter();
    const lines = [
      ...cutter.push(bytes.subarray(0, cut)),
      ...cutter.push(bytes.subarray(cut)),
      ...cutter.end(),
    ];
    assert.deepEqual(lines, LINES, `at ${cut}`);
  }
  const cutter = new LineCutter();
  const lines = [...bytes].flatMap((byte) => cutter.push(Uint8Array.of(byte)));
  assert.deepEqual([...lines, ...cutter.end()], LINES);
});

test("LineCutter bounds a line, replaces what is no UTF-8, and can leave out the first", () => {
  const cutter = new LineCutter(true);
  assert.deepEqual(cutter.push(Buffer.from("rest of a line")), []);
  assert.deepEqual(cutter.push(Buffer.from(" and its end\nnext\n")), ["next"]);
  assert.deepEqual(cutter.push(Buffer.from([0xff, 0x0a, 0x7f, 0x0a])), ["\ufffd", "␡"]);
  const long: string[] = [];
  for (let piece = 0; piece < 100; piece++) long.push(...cutter.push(Buffer.alloc(10_000, "x")));
  assert.deepEqual(long, []);
  assert.deepEqual(cutter.push(Buffer.from("end\nshort\n")), [`${"x".repeat(16_384)} […]`, "short"]);
  assert.deepEqual(cutter.push(Buffer.alloc(16_384, "y")), []);
  assert.deepEqual(cutter.push(Buffer.from("\r\n")), ["y".repeat(16_384)]);
});

test("LastLines keeps the last lines, by their number and by their length", () => {
  const last = new LastLines(3);
  assert.equal(last.add(["a", "b"]), 0);
  assert.equal(last.add(["c", "d"]), 2);
  assert.deepEqual([last.first, last.lines], [1, ["b", "c", "d"]]);
  assert.equal(last.add(Array.from({ length: 2 }, () => "x".repeat(200_000))), 4);
  assert.deepEqual([last.first, last.lines.length], [5, 1]);
});

interface Said {
  readonly run?: string;
  readonly name?: string;
  readonly note?: string;
  readonly first: number;
  readonly lines: string[];
}

/** One who looks. */
class Viewer {
  readonly socket: WebSocketConnection;
  readonly lines: string[] = [];
  readonly notes: string[] = [];
  name: string | undefined;
  /** The number of the next line. */
  next = 0;

  constructor(socket: WebSocketConnection) {
    this.socket = socket;
  }

  async take(): Promise<void> {
    const said = JSON.parse(String((await this.socket.receive()).value)) as Said;
    if (said.run === undefined) assert.equal(said.first, this.next, "lines are missing");
    this.name ??= said.name;
    this.next = said.first + said.lines.length;
    this.lines.push(...said.lines);
    if (said.note !== undefined) this.notes.push(said.note);
  }

  /** Takes until it has so many lines, and so many notes. */
  async until(lines: number, notes: number = 0): Promise<void> {
    while (this.lines.length < lines || this.notes.length < notes) await this.take();
  }
}

/** The port that it pushes on. */
async function pushing(child: Child): Promise<string> {
  const [, at = ""] = await child.line(/^pushing .* on http:\/\/(\S+)\/\n/m);
  return at;
}

async function view(at: string, options: ConnectOptions = {}): Promise<Viewer> {
  return new Viewer(await connect(`ws://${at}/lines`, options));
}

test("berkeley push sends a file's last lines, then what it grows by, through truncation and rotation", async () => {
  using files = folder();
  const path = files.path("app.log");
  writeFileSync(path, `${"earlier\n".repeat(100_000)}one\ntwo\nthree\nfo`);
  await using child = berkeley(["push", "-n", "2", "-l", "tcp://127.0.0.1:0", path]);
  const viewer = await view(await pushing(child));
  // It is there before the file has been read, and gets what it would get later.
  await viewer.take();
  assert.deepEqual([viewer.name, viewer.lines, viewer.next], ["app.log", ["two", "three"], 100_003]);
  appendFileSync(path, "ur\nfive\nsi");
  await viewer.until(4);
  const [first, second] = [Buffer.from("x 🙂\n").subarray(0, 4), Buffer.from("x 🙂\n").subarray(4)];
  appendFileSync(path, first);
  appendFileSync(path, second);
  await viewer.until(5);
  assert.deepEqual(viewer.lines.slice(2), ["four", "five", "six 🙂"]);
  truncateSync(path, 0);
  await viewer.until(5, 1);
  appendFileSync(path, "again\n");
  await viewer.until(6);
  assert.equal(viewer.lines.at(-1), "again");
  assert.deepEqual(viewer.notes, ["the file was truncated"]);
  appendFileSync(path, "last of the old one");
  renameSync(path, files.path("app.log.1"));
  writeFileSync(path, "first of the new one\n");
  const count = viewer.lines.length;
  await viewer.until(count + 2, 2);
  assert.deepEqual(viewer.lines.slice(count), ["last of the old one", "first of the new one"]);
  assert.equal(viewer.notes.at(-1), "the file was replaced");
  const late = await view(await pushing(child));
  await late.until(2);
  assert.deepEqual(late.lines, ["last of the old one", "first of the new one"]);
  assert.equal(late.next, viewer.next);
  child.kill("SIGINT");
  assert.equal((await viewer.socket.closed).code, 1001);
  assert.equal((await child.exited).code, 0);
});

test("berkeley push stays with its file while something else than a file has its name", async () => {
  using files = folder();
  const [path, old] = [files.path("app.log"), files.path("app.log.1")];
  writeFileSync(path, "one\n");
  await using child = berkeley(["push", "-l", "tcp://127.0.0.1:0", path]);
  const viewer = await view(await pushing(child));
  await viewer.until(1);
  renameSync(path, old);
  mkdirSync(path);
  // So many that it has looked at the name in between.
  for (let count = 2; count <= 50; count++) {
    appendFileSync(old, `still ${count}\n`);
    await viewer.until(count);
  }
  rmdirSync(path);
  writeFileSync(path, "new\n");
  await viewer.until(51, 1);
  assert.deepEqual([viewer.lines.at(-1), viewer.notes], ["new", ["the file was replaced"]]);
  child.kill("SIGTERM");
  assert.equal((await child.exited).code, 0);
});

test("berkeley push - sends standard input, and stays when it has ended", async () => {
  await using child = berkeley(["push", "-l", "tcp://127.0.0.1:0", "-"]);
  const at = await pushing(child);
  const viewer = await view(at);
  child.stdin.write("one\ntw");
  await viewer.until(1);
  child.stdin.end("o");
  await viewer.until(2, 1);
  assert.deepEqual([viewer.lines, viewer.notes], [["one", "two"], ["standard input has ended"]]);
  const late = await view(at);
  await late.until(2);
  assert.deepEqual([late.name, late.lines], ["standard input", ["one", "two"]]);
  await late.socket.send("what a viewer says");
  assert.equal((await late.socket.closed).code, 1008);
  child.kill("SIGTERM");
  assert.equal((await child.exited).code, 0);
});

test("berkeley push closes a viewer that takes nothing with 1013, and others have every line", async () => {
  await using child = berkeley(["push", "-l", "tcp://127.0.0.1:0", "-"]);
  const at = await pushing(child);
  const slow = await view(at);
  await slow.take();
  const viewer = await view(at);
  const line = "x".repeat(9999);
  const all = 5000;
  const writing = (async () => {
    for (let count = 0; count < all; count++)
      if (!child.stdin.write(`${line}\n`)) await new Promise((resolve) => child.stdin.once("drain", resolve));
  })();
  while (viewer.next < all) {
    viewer.lines.length = 0;
    await viewer.take();
  }
  await writing;
  await assert.rejects(async () => {
    for (;;)
      if ((await slow.socket.receive()).done === true)
        throw new Error(String((await slow.socket.closed).code));
  }, /1013/);
  child.kill("SIGTERM");
  await child.exited;
});

test("berkeley push lets in its own page alone, under names that were meant, and says why others are not", async () => {
  await using child = berkeley(["push", "-l", "tcp://127.0.0.1:0", "--name", "logs.example", "-"]);
  const at = await pushing(child);
  const asked = async (host: string, path: string, method: string = "GET") => {
    const answer = await request(`http://${at}${path}`, { method, headers: { Host: host } });
    return [answer.status, await answer.text(), answer.headers.get("content-security-policy")] as const;
  };
  const port = at.slice(at.indexOf(":"));
  for (const host of [at, `localhost${port}`, `LOGS.example${port}`, "[::1]:80"]) {
    const [status, text, policy] = await asked(host, "/");
    assert.equal(status, 200, host);
    assert.match(text, /^<!DOCTYPE html>/);
    assert.match(policy ?? "", /^default-src 'none'; script-src 'self';/);
  }
  assert.deepEqual((await asked(`evil.example${port}`, "/")).slice(0, 2), [
    421,
    "not by this name: berkeley push --name NAME says which ones\n",
  ]);
  assert.equal((await asked(at, "/elsewhere"))[0], 404);
  assert.equal((await asked(at, "/", "POST"))[0], 405);
  assert.equal((await asked(at, "/lines"))[0], 426);
  const own = await view(at, { headers: { Origin: `http://${at}` } });
  await own.take();
  for (const origin of ["http://evil.example", "null", `http://${at}.evil.example`])
    await assert.rejects(view(at, { headers: { Origin: origin } }), { status: 403 });
  child.kill("SIGTERM");
  await child.exited;
});

test("berkeley push says in one sentence what it cannot push", async () => {
  using files = folder();
  for (const [args, code, said] of [
    [[files.path("none")], 1, /^berkeley: cannot push .*none: ENOENT/],
    [[files.path(".")], 1, /it is no file \(- is standard input\)\n$/],
    [["-l", "udp://:1", "-"], 2, /--listen takes tcp:\/\/, tls:\/\/ or unix:\/\/\n$/],
    [["-n", "0", "-"], 2, /--lines is a whole number/],
    [["-l", "tls://:0", "-"], 2, /to listen with TLS needs a certificate/],
  ] as const) {
    const ended = await run(["push", ...args]);
    assert.equal(ended.code, code);
    assert.match(ended.stderr.toString(), said);
  }
});
