// sendfile(): whole files and parts of them, from a path, a descriptor and a FileHandle; files that sendfile(2) cannot
// send; what is known after a failure.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  constants,
  createWriteStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import {
  AF_INET,
  SHUT_WR,
  SOCK_DGRAM,
  SocketError,
  TimeoutError,
  create_connection,
  socket,
  socketpair,
} from "berkeley";
import { listenAt, receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import { openFiles } from "../support/descriptors.ts";
import { NARROW, TOO_MUCH, codeOf, pattern, rejection, stillWaits, tcpPair } from "../support/pair.ts";
import { portOf, python, PYTHON } from "../support/python.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-sendfile-"));
after(() => rmSync(folder, { recursive: true }));
const data = pattern(10 * 1024 * 1024 + 17);
const path = join(folder, "data");
writeFileSync(path, data);
const empty = join(folder, "empty");
writeFileSync(empty, "");

/** The same file in each form that sendfile() takes. */
const sources = {
  "a path": async () => ({ file: path, close: async () => {} }),
  "a URL": async () => ({ file: pathToFileURL(path), close: async () => {} }),
  "a path in bytes": async () => ({ file: Buffer.from(path), close: async () => {} }),
  "a descriptor": async () => {
    const handle = await open(path);
    return { file: handle.fd, close: () => handle.close() };
  },
  "a FileHandle": async () => {
    const handle = await open(path);
    return { file: handle, close: () => handle.close() };
  },
};

for (const [what, make] of Object.entries(sources))
  test(`sendfile() of ${what} sends the whole file`, async () => {
    using pair = await tcpPair();
    const { file, close } = await make();
    const received = receiveToEnd(pair.b);
    assert.equal(await pair.a.sendfile(file), data.length);
    pair.a.shutdown(SHUT_WR);
    assert.ok((await received).equals(data));
    await close();
  });

for (const [offset, count] of [
  [0, 1],
  [5000, undefined],
  [0, 5_000_007],
  [2007, 100_011],
  [data.length - 3, 10],
  [data.length, undefined],
  [data.length + 5, 3],
] as const)
  test(`sendfile() from ${offset}, ${count ?? "all"} bytes of it, sends that part`, async () => {
    using pair = await tcpPair();
    const expected = data.subarray(offset, count === undefined ? undefined : offset + count);
    const received = receiveToEnd(pair.b);
    assert.equal(await pair.a.sendfile(path, offset, count), expected.length);
    pair.a.shutdown(SHUT_WR);
    assert.ok((await received).equals(expected));
  });

test("sendfile() of an empty file sends nothing", async () => {
  using pair = await tcpPair();
  assert.equal(await pair.a.sendfile(empty), 0);
  await pair.a.sendall("x");
  assert.equal((await receiveExactly(pair.b, 1)).toString(), "x");
});

test("sendfile() of a file that is cut short meanwhile ends where the file does, and says how much went", async () => {
  using pair = await tcpPair(NARROW);
  const shrinking = join(folder, "shrinking");
  writeFileSync(shrinking, data.subarray(0, TOO_MUCH));
  const sending = pair.a.sendfile(shrinking, 0, TOO_MUCH);
  await stillWaits(sending);
  truncateSync(shrinking, 0);
  const received = receiveToEnd(pair.b);
  const sent = await sending;
  assert.ok(sent > 0 && sent < TOO_MUCH);
  pair.a.shutdown(SHUT_WR);
  assert.equal((await received).length, sent);
});

test("sendfile() neither uses nor moves the position of an open file", async () => {
  using pair = await tcpPair();
  await using handle = await open(path);
  const head = Buffer.alloc(10);
  await handle.read(head, 0, 10, null);
  assert.equal(await pair.a.sendfile(handle, 0, 100), 100);
  assert.ok((await receiveExactly(pair.b, 100)).equals(data.subarray(0, 100)));
  await handle.read(head, 0, 10, null);
  assert.ok(head.equals(data.subarray(10, 20)));
});

test("sendfile() keeps its place among sends: nothing comes in between", async () => {
  using pair = await tcpPair(NARROW);
  const sends = [pair.a.sendall("head"), pair.a.sendfile(path, 0, TOO_MUCH), pair.a.sendall("tail")];
  await stillWaits(Promise.any(sends.slice(1)));
  const received = await receiveExactly(pair.b, TOO_MUCH + 8);
  await Promise.all(sends);
  assert.ok(
    received.equals(Buffer.concat([Buffer.from("head"), data.subarray(0, TOO_MUCH), Buffer.from("tail")])),
  );
});

test("sendfile() over a Unix stream sends the whole file", async () => {
  const [a, b] = socketpair();
  using first = a;
  using second = b;
  const received = receiveToEnd(second);
  assert.equal(await first.sendfile(path), data.length);
  first.close();
  assert.ok((await received).equals(data));
});

test("sendfile() that stands still runs out of time, tells how much went, and can go on from there", async () => {
  using pair = await tcpPair(NARROW);
  pair.a.settimeout(0.05);
  const progress = { bytes: -1 };
  const error = await rejection(pair.a.sendfile(path, 0, TOO_MUCH, { progress }));
  assert.ok(error instanceof TimeoutError);
  assert.equal(error.syscall, "sendfile");
  assert.equal(error.bytesSent, progress.bytes);
  assert.ok(progress.bytes > 0 && progress.bytes < TOO_MUCH);
  pair.a.settimeout(null);
  const received = receiveExactly(pair.b, TOO_MUCH);
  assert.equal(
    await pair.a.sendfile(path, progress.bytes, TOO_MUCH - progress.bytes),
    TOO_MUCH - progress.bytes,
  );
  assert.ok((await received).equals(data.subarray(0, TOO_MUCH)));
});

test("sendfile() that goes on slowly does not run out of time: each progress begins it anew", async () => {
  using pair = await tcpPair(NARROW);
  pair.a.settimeout(0.4);
  const sending = pair.a.sendfile(path, 0, TOO_MUCH);
  let total = 0;
  const begun = performance.now();
  while (total < TOO_MUCH) {
    total += (await pair.b.recv(TOO_MUCH / 16)).length;
    if (performance.now() - begun < 1000) await new Promise((resolve) => setTimeout(resolve, 100));
  }
  assert.equal(await sending, TOO_MUCH);
  assert.ok(performance.now() - begun > 800);
});

test("sendfile() of a non-blocking socket sends what has room and rejects with EAGAIN and how much that was", async () => {
  using pair = await tcpPair(NARROW);
  pair.a.setblocking(false);
  const error = await rejection(pair.a.sendfile(path, 0, TOO_MUCH));
  assert.ok(error instanceof SocketError);
  assert.equal(error.code, "EAGAIN");
  const sent = error.bytesSent as number;
  assert.ok(sent > 0 && sent < TOO_MUCH);
  assert.ok((await receiveExactly(pair.b, sent)).equals(data.subarray(0, sent)));
});

test("sendfile() ends with the signal's reason, and progress tells how much went", async () => {
  using pair = await tcpPair(NARROW);
  const controller = new AbortController();
  const progress = { bytes: 0 };
  const sending = pair.a.sendfile(path, 0, TOO_MUCH, { signal: controller.signal, progress });
  await stillWaits(sending);
  controller.abort(new Error("enough"));
  assert.equal((await rejection(sending)).message, "enough");
  assert.ok(progress.bytes > 0 && progress.bytes < TOO_MUCH);
});

test("sendfile() rejects with ECANCELED when the socket is closed meanwhile, with EBADF when it was", async () => {
  using pair = await tcpPair(NARROW);
  const sending = pair.a.sendfile(path, 0, TOO_MUCH);
  await stillWaits(sending);
  pair.a.close();
  assert.equal(await codeOf(sending), "ECANCELED");
  assert.equal(await codeOf(pair.a.sendfile(path)), "EBADF");
});

test("sendfile() to a peer that has gone rejects with EPIPE or ECONNRESET and tells how much went", async () => {
  using pair = await tcpPair();
  pair.b.close();
  const error = await rejection(pair.a.sendfile(path));
  assert.ok(error.code === "EPIPE" || error.code === "ECONNRESET", error.message);
  assert.equal(typeof error.bytesSent, "number");
});

test("sendfile() refuses other types of sockets, counts below 1, negative offsets and what is no file", async () => {
  using udp = socket(AF_INET, SOCK_DGRAM);
  assert.equal(await codeOf(udp.sendfile(path)), "EOPNOTSUPP");
  using pair = await tcpPair();
  const { a } = pair;
  for (const count of [0, -1, 1.5, NaN])
    assert.equal(await codeOf(a.sendfile(path, 0, count)), "ERR_OUT_OF_RANGE");
  for (const offset of [-1, 0.5]) assert.equal(await codeOf(a.sendfile(path, offset)), "ERR_OUT_OF_RANGE");
  assert.equal(await codeOf(a.sendfile(path, "5" as never)), "ERR_INVALID_ARG_TYPE");
  for (const file of [null, {}, -1, 1.5, { fd: "3" }])
    assert.equal(await codeOf(a.sendfile(file as never)), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(a.sendfile(join(folder, "missing"))), "ENOENT");
  assert.equal(await codeOf(a.sendfile(folder)), "EISDIR");
  assert.equal(await codeOf(a.sendfile({ fd: -1 })), "EBADF");
  assert.equal(await codeOf(a.sendfile(2 ** 30)), "EBADF");
});

test("sendfile() of a file of /proc, which has no size, sends what is in it", async () => {
  using pair = await tcpPair();
  const received = receiveToEnd(pair.b);
  const sent = await pair.a.sendfile("/proc/self/cmdline");
  pair.a.shutdown(SHUT_WR);
  const expected = readFileSync("/proc/self/cmdline");
  assert.equal(sent, expected.length);
  assert.ok((await received).equals(expected));
});

test("sendfile() of a named pipe reads and sends until the writer has ended, or the count is reached", async () => {
  const fifo = join(folder, "fifo");
  execFileSync("mkfifo", [fifo]);
  for (const count of [undefined, 100_000]) {
    using pair = await tcpPair();
    const received = receiveToEnd(pair.b);
    const writer = createWriteStream(fifo);
    writer.on("error", () => {}); // EPIPE when no more was wanted
    writer.end(data.subarray(0, 300_000));
    const sent = await pair.a.sendfile(fifo, 0, count);
    pair.a.shutdown(SHUT_WR);
    assert.equal(sent, count ?? 300_000);
    assert.ok((await received).equals(data.subarray(0, sent)));
  }
});

test("sendfile() of a pipe from an offset rejects with ESPIPE", async () => {
  using pair = await tcpPair();
  const fd = openSync(join(folder, "fifo"), constants.O_RDWR);
  const { close } = await import("node:fs");
  assert.equal(await codeOf(pair.a.sendfile(fd, 5)), "ESPIPE");
  close(fd);
});

test("sendfile() of a device reads and sends as much as was asked for", async () => {
  using pair = await tcpPair();
  const received = receiveExactly(pair.b, 200_000);
  assert.equal(await pair.a.sendfile("/dev/zero", 0, 200_000), 200_000);
  assert.ok((await received).equals(Buffer.alloc(200_000)));
});

test("sendfile() leaves no descriptor open, whatever its end", async () => {
  using pair = await tcpPair();
  pair.b.close();
  await rejection(pair.a.sendfile(path));
  await rejection(pair.a.sendfile(folder));
  // Another thread closes them, also those of tests before.
  while (openFiles(folder).length > 0) await new Promise((resolve) => setImmediate(resolve));
});

test("sendfile() sends a file whole to CPython, and receives what CPython's sends", {
  skip: PYTHON.skip,
}, async () => {
  await using peer = python(
    `
server = listen_at("127.0.0.1")
conn, address = server.accept()
with open(sys.argv[1], "rb") as file:
    expected = file.read()
    got = conn.makefile("rb").read(len(expected))
    assert got == expected
    assert conn.sendfile(file, 100, 1000000) == 1000000
conn.close()`,
    [path],
  );
  using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
  assert.equal(await conn.sendfile(path), data.length);
  assert.ok((await receiveToEnd(conn)).equals(data.subarray(100, 1_000_100)));
  await peer.succeeded();
});

test("sendfile() and a file made from the socket send one after the other", async () => {
  using listener = listenAt();
  using conn = await create_connection(["127.0.0.1", listener.port]);
  using peer = await listener.accept();
  await using file = conn.makefile("w");
  await file.write("HTTP/1.0 200 OK\r\n\r\n");
  await file.flush();
  await conn.sendfile(path, 0, 1000);
  assert.ok((await receiveExactly(peer, 1019)).subarray(19).equals(data.subarray(0, 1000)));
});

test("sendfile() of a named pipe that nobody writes to ends with the signal's reason, and closes the pipe once it can", async () => {
  const quiet = join(folder, "quiet");
  execFileSync("mkfifo", [quiet]);
  const writer = openSync(quiet, constants.O_RDWR);
  const opened = (): number => openFiles(quiet).length;
  using pair = await tcpPair();
  const controller = new AbortController();
  const sending = pair.a.sendfile(quiet, 0, null, { signal: controller.signal });
  while (opened() < 2) await new Promise((resolve) => setImmediate(resolve));
  await stillWaits(sending);
  controller.abort(new Error("enough"));
  assert.equal((await rejection(sending)).message, "enough");
  writeSync(writer, "now");
  while (opened() > 1) await new Promise((resolve) => setImmediate(resolve));
  closeSync(writer);
});
