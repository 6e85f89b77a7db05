// The addon's calls that move bytes inside the kernel, called directly: what they do, what they refuse, and that hostile
// arguments give -errno. Nothing is read or written outside of what was given, and no descriptor is left open.

import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { AF_UNIX, EAGAIN, EBADF, EFAULT, EINVAL, SHUT_WR, SOCK_STREAM } from "#dist/constants/index.js";
import { native } from "#dist/native.js";

type Loose = (...values: unknown[]) => number;
const { pipe, read, sendfile, set_pipe_size, splice } = native as unknown as Record<string, Loose> & {
  [name in "pipe" | "read" | "sendfile" | "set_pipe_size" | "splice"]: Loose;
};

const folder = mkdtempSync(join(tmpdir(), "berkeley-moving-"));
after(() => rmSync(folder, { recursive: true }));
const file = join(folder, "file");
writeFileSync(file, "0123456789");

const openCount = (): number => readdirSync("/proc/self/fd").length;

/** Descriptors that are closed when disposed. */
interface Ends extends Disposable {
  readonly ends: readonly [number, number];
}

function opened(open: (pair: Int32Array) => number): Ends {
  const pair = new Int32Array(2);
  assert.equal(open(pair), 0);
  const ends = [...pair] as [number, number];
  return {
    ends,
    [Symbol.dispose]() {
      for (const fd of ends) native.close(fd);
    },
  };
}

const makePipe = (): Ends => opened((pair) => pipe(pair));
const makePair = (): Ends => opened((pair) => native.socketpair(AF_UNIX, SOCK_STREAM, 0, pair));

function drain(fd: number): string {
  const into = Buffer.alloc(100);
  const count = read(fd, into, 0, 100);
  return count < 0 ? String(count) : into.toString("utf8", 0, count);
}

const LINUX = { skip: process.platform === "linux" ? false : "sendfile, splice and pipe2 are Linux's" };

test("sendfile() sends from an offset and says how much; 0 at the file's end", LINUX, () => {
  using pair = makePair();
  const [a, b] = pair.ends;
  const fd = openSync(file, "r");
  assert.equal(sendfile(a, fd, 3, 4), 4);
  assert.equal(drain(b), "3456");
  assert.equal(sendfile(a, fd, 8, 100), 2);
  assert.equal(sendfile(a, fd, 10, 100), 0);
  assert.equal(sendfile(a, fd, 2 ** 40, 100), 0);
  closeSync(fd);
  assert.equal(sendfile(a, fd, 0, 1), -EBADF);
});

test("splice() moves between a socket and a pipe, and says EAGAIN where it would wait", LINUX, () => {
  using pair = makePair();
  using tube = makePipe();
  const [a, b] = pair.ends;
  const [out, into] = tube.ends;
  assert.equal(splice(b, into, 100), -EAGAIN);
  assert.equal(splice(out, a, 100), -EAGAIN);
  assert.equal(native.send(a, Buffer.from("moving"), 0, 6, 0), 6);
  assert.equal(splice(b, into, 4), 4);
  assert.equal(splice(out, a, 100), 4);
  assert.equal(drain(b), "ngmovi");
  assert.equal(native.shutdown(a, SHUT_WR), 0);
  assert.equal(splice(b, into, 100), 0);
  assert.equal(splice(-1, into, 100), -EBADF);
});

test("splice() refuses two sockets, which have no pipe between them", LINUX, () => {
  using pair = makePair();
  assert.equal(splice(pair.ends[0], pair.ends[1], 10), -EINVAL);
});

test("pipe() makes two ends that do not wait and that children do not have", LINUX, () => {
  using tube = makePipe();
  const [out, into] = tube.ends;
  assert.equal(drain(out), String(-EAGAIN));
  assert.equal(native.get_inheritable(out), 0);
  assert.equal(native.get_inheritable(into), 0);
  assert.equal(writeSync(into, "through"), 7);
  assert.equal(drain(out), "through");
});

test("set_pipe_size() gives at least what was asked for, or refuses", LINUX, () => {
  using tube = makePipe();
  assert.ok(set_pipe_size(tube.ends[1], 200_000) >= 200_000);
  assert.equal(set_pipe_size(-1, 4096), -EBADF);
  assert.ok(set_pipe_size(tube.ends[1], -1) < 0);
});

test(
  "calls that move bytes answer hostile arguments with -EINVAL or -EFAULT, and keep no descriptor",
  LINUX,
  () => {
    const before = openCount();
    {
      using tube = makePipe();
      const [out] = tube.ends;
      for (const bad of [undefined, null, "1", 0.5, NaN, 10n, Symbol("x"), {}, [], 2 ** 53]) {
        for (const args of [
          [bad, 1, 0, 1],
          [1, bad, 0, 1],
          [1, 1, bad, 1],
          [1, 1, 0, bad],
        ])
          assert.equal(sendfile(...args), -EINVAL);
        for (const args of [
          [bad, 1, 1],
          [1, bad, 1],
          [1, 1, bad],
        ])
          assert.equal(splice(...args), -EINVAL);
        assert.equal(set_pipe_size(bad, 1), -EINVAL);
        assert.equal(set_pipe_size(1, bad), -EINVAL);
        assert.equal(pipe(bad), -EINVAL);
        assert.equal(read(out, bad, 0, 1), -EINVAL);
      }
      for (const negative of [-1, -(2 ** 40)]) {
        assert.equal(sendfile(1, 1, negative, 1), -EINVAL);
        assert.equal(sendfile(1, 1, 0, negative), -EINVAL);
        assert.equal(splice(1, 1, negative), -EINVAL);
      }
      for (const small of [new Uint8Array(7), new Int32Array(0)]) assert.equal(pipe(small), -EFAULT);
      const memory = new Int32Array(2);
      structuredClone(memory.buffer, { transfer: [memory.buffer] });
      assert.equal(pipe(memory), -EFAULT);
      for (const [offset, length] of [
        [0, 11],
        [10, 1],
        [-1, 1],
        [0, -1],
      ])
        assert.equal(read(out, Buffer.alloc(10), offset, length), -EFAULT);
    }
    assert.equal(openCount(), before);
  },
);
