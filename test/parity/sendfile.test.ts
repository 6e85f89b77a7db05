// sendfile() in both faces: whole files and parts, what is sent and what is counted, times, refusals. Files are smaller than a
// socket's room, so that a thread that blocks sends them alone; larger ones are in test/file/sendfile.test.ts.

import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { AF_INET, AF_UNIX, SHUT_WR, SOCK_DGRAM, SOCK_SEQPACKET } from "berkeley";
import type { Socket } from "berkeley";
import { anything, codeOf, faceTest, failure } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";
import { STREAMS } from "../support/kinds.ts";
import { pattern } from "../support/pair.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-sendfile-"));
after(() => rmSync(folder, { recursive: true }));
const data = pattern(150_000);
const path = join(folder, "data");
writeFileSync(path, data);
const empty = join(folder, "empty");
writeFileSync(empty, "");

async function toEnd(sock: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (let part = await sock.recv(65_536); part.length > 0; part = await sock.recv(65_536)) parts.push(part);
  return Buffer.concat(parts);
}

/** Sends over each kind of connection; what arrived, and what sendfile() said. */
async function send(
  face: Face,
  kind: string,
  file: string | number,
  offset?: number,
  count?: number | null,
): Promise<[arrived: Buffer, said: number]> {
  using ends = await (STREAMS[kind] as (typeof STREAMS)[string])(face);
  const said = await ends.a.sendfile(file, offset, count);
  ends.a.shutdown(SHUT_WR);
  return [await toEnd(ends.b), said];
}

const PARTS: Readonly<Record<string, [offset: number | undefined, count: number | null | undefined]>> = {
  "the whole file": [undefined, undefined],
  "the whole file, count null": [0, null],
  "from an offset": [5000, undefined],
  "a count": [0, 100_007],
  "a small count": [0, 1],
  "a count from an offset": [2007, 50_007],
  "a count beyond the end": [149_990, 100],
  "from the end": [150_000, undefined],
  "from behind the end": [200_000, 5],
};

for (const kind of ["TCP over IPv4", "Unix stream"])
  for (const [what, [offset, count]] of Object.entries(PARTS)) {
    faceTest(`sendfile() sends ${what} of a path (${kind})`, async (face) => {
      const expected = data.subarray(offset ?? 0, (offset ?? 0) + (count ?? data.length));
      const [arrived, said] = await send(face, kind, path, offset, count);
      assert.equal(said, expected.length);
      assert.ok(arrived.equals(expected));
    });

    faceTest(`sendfile() sends ${what} of an open file, whose position stays (${kind})`, async (face) => {
      const fd = openSync(path, "r");
      try {
        readSync(fd, Buffer.alloc(7));
        const expected = data.subarray(offset ?? 0, (offset ?? 0) + (count ?? data.length));
        const [arrived, said] = await send(face, kind, fd, offset, count);
        assert.equal(said, expected.length);
        assert.ok(arrived.equals(expected));
        const next = Buffer.alloc(1);
        readSync(fd, next);
        assert.equal(next[0], data[7]);
      } finally {
        closeSync(fd);
      }
    });
  }

faceTest("sendfile() of an empty file sends nothing", async (face) => {
  const [arrived, said] = await send(face, "TCP over IPv4", empty);
  assert.deepEqual([arrived.length, said], [0, 0]);
});

faceTest("sendfile() of what has no size reads and sends it", async (face) => {
  const [arrived, said] = await send(face, "TCP over IPv4", "/proc/self/status");
  assert.match(arrived.toString(), /^Name:/);
  assert.equal(said, arrived.length);
  const [zeros] = await send(face, "Unix stream", "/dev/zero", 0, 5000);
  assert.ok(zeros.equals(Buffer.alloc(5000)));
});

faceTest(
  "sendfile() refuses datagrams, parts that are none and what is no file, and sends nothing",
  async (face) => {
    using ends = await (STREAMS["TCP over IPv4"] as (typeof STREAMS)[string])(face);
    const { a, b } = ends;
    const calls: [call: () => unknown, code: string][] = [
      [() => a.sendfile(path, -1), "ERR_OUT_OF_RANGE"],
      [() => a.sendfile(path, 0.5), "ERR_OUT_OF_RANGE"],
      [() => a.sendfile(path, anything("0")), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendfile(path, 0, 0), "ERR_OUT_OF_RANGE"],
      [() => a.sendfile(path, 0, -1), "ERR_OUT_OF_RANGE"],
      [() => a.sendfile(path, 0, 1.5), "ERR_OUT_OF_RANGE"],
      [() => a.sendfile(path, 0, anything("2")), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendfile(anything(null)), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendfile(-1), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendfile(anything({})), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendfile(join(folder, "nothing")), "ENOENT"],
      [() => a.sendfile(folder), "EISDIR"],
      [() => a.sendfile(2 ** 30), "EBADF"],
    ];
    for (const [call, code] of calls) assert.equal(await codeOf(call), code, call.toString());
    a.shutdown(SHUT_WR);
    assert.equal((await b.recv(1)).length, 0);
    for (const [family, type] of [
      [AF_INET, SOCK_DGRAM],
      [AF_UNIX, SOCK_DGRAM],
      [AF_UNIX, SOCK_SEQPACKET],
    ] as const) {
      using sock = face.socket(family, type);
      assert.equal(await codeOf(() => sock.sendfile(path)), "EOPNOTSUPP");
    }
  },
);

faceTest(
  "sendfile() to who does not read ends by timeout, or at once, and tells how much went",
  async (face) => {
    const large = join(folder, "large");
    writeFileSync(large, Buffer.alloc(8 << 20, "z"));
    for (const [seconds, code] of [
      [0.02, "ETIMEDOUT"],
      [0, "EAGAIN"],
    ] as const) {
      const [a, b] = face.socketpair();
      a.settimeout(seconds);
      const error = await failure(() => a.sendfile(large));
      assert.equal(error.code, code);
      a.shutdown(SHUT_WR);
      assert.equal((await toEnd(b)).length, error.bytesSent);
      assert.ok((error.bytesSent ?? 0) > 0);
      a.close();
      b.close();
    }
  },
);

faceTest("sendfile() after close(), and to a peer that has gone", async (face) => {
  const [a, b] = face.socketpair();
  b.close();
  assert.equal(await codeOf(() => a.sendfile(path)), "EPIPE");
  a.close();
  assert.equal(await codeOf(() => a.sendfile(path)), "EBADF");
});
