// The functions and methods that take or give descriptors, in both faces: dup, fromfd, close, detach, inheritance; and
// what they say of IPv6.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, fstatSync, openSync, readdirSync } from "node:fs";
import { test } from "node:test";
import * as promises from "berkeley";
import * as values from "berkeley/sync";

/** Where awaiting makes no difference, both faces are one. */
const faces = { berkeley: promises, "berkeley/sync": values as unknown as typeof promises };

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd);
    return true;
  } catch {
    return false;
  }
}

for (const [name, socket] of Object.entries(faces)) {
  const { AF_UNIX, SOCK_DGRAM, SOCK_STREAM } = socket;

  test(`dup() of a Socket makes another of the same file and timeout (${name})`, async () => {
    const [a, b] = socket.socketpair(AF_UNIX, SOCK_DGRAM);
    a.settimeout(5);
    const copy = a.dup();
    assert.ok(copy instanceof socket.Socket);
    assert.notEqual(copy.fileno(), a.fileno());
    assert.deepEqual(
      [copy.family, copy.type, copy.proto, copy.gettimeout(), copy.get_inheritable()],
      [a.family, a.type, a.proto, 5, false],
    );
    a.close();
    await copy.send("still open");
    assert.equal((await b.recv(100)).toString(), "still open");
    copy.close();
    assert.throws(() => copy.dup(), { code: "EBADF" });
    b.close();
  });

  test(`dup(fd) and close(fd) make and end plain descriptors (${name})`, async () => {
    const [a, b] = socket.socketpair();
    const fd = socket.dup(a.fileno());
    assert.ok(isOpen(fd));
    using copy = socket.socket(undefined, undefined, undefined, { fileno: fd });
    await copy.send("x");
    assert.equal((await b.recv(1)).toString(), "x");
    const second = socket.dup(fd);
    socket.close(second);
    assert.ok(!isOpen(second));
    assert.throws(() => socket.close(second), { name: "SocketError", code: "EBADF", syscall: "close" });
    assert.throws(() => socket.dup(second), { name: "SocketError", code: "EBADF", syscall: "dup" });
    for (const bad of [-1, 1.5, 2 ** 31])
      for (const call of [socket.close, socket.dup])
        assert.throws(() => call(bad), { name: "RangeError", code: "ERR_OUT_OF_RANGE" });
    assert.throws(() => socket.dup("1" as never), { code: "ERR_INVALID_ARG_TYPE" });
    a.close();
    b.close();
  });

  test(`fromfd() makes a Socket of another descriptor, and leaves the original (${name})`, async () => {
    const [a, b] = socket.socketpair(AF_UNIX, SOCK_STREAM);
    const made = socket.fromfd(a.fileno(), AF_UNIX, SOCK_STREAM);
    assert.deepEqual([made.family, made.type, made.proto], [AF_UNIX, SOCK_STREAM, 0]);
    assert.notEqual(made.fileno(), a.fileno());
    await made.sendall("from the copy");
    made.close();
    await a.sendall(", from the original");
    assert.equal((await b.recv(100)).toString(), "from the copy, from the original");
    assert.throws(() => socket.fromfd(999_999, AF_UNIX, SOCK_STREAM), { code: "EBADF", syscall: "dup" });
    assert.throws(() => socket.fromfd(a.fileno(), "x" as never, SOCK_STREAM), {
      code: "ERR_INVALID_ARG_TYPE",
    });
    a.close();
    b.close();
  });

  test(`fromfd() and dup() leave no descriptor behind when they fail (${name})`, () => {
    const [a, b] = socket.socketpair();
    const before = readdirSync("/proc/self/fd").length;
    for (const family of [Number.NaN, "x" as never])
      assert.throws(() => socket.fromfd(a.fileno(), family, SOCK_STREAM));
    const file = openSync("/dev/null", "r");
    assert.throws(() => socket.socket(undefined, undefined, undefined, { fileno: file }), {
      code: "ENOTSOCK",
    });
    assert.ok(isOpen(file), "what is refused stays the caller's");
    closeSync(file);
    assert.equal(readdirSync("/proc/self/fd").length, before);
    a.close();
    b.close();
  });

  test(`set_inheritable() decides what a child process has (${name})`, () => {
    const [a, b] = socket.socketpair();
    assert.equal(a.get_inheritable(), false);
    const fd = a.fileno();
    const child = (): string =>
      execFileSync("sh", ["-c", `test -e /proc/self/fd/${fd} && echo there || echo gone`])
        .toString()
        .trim();
    assert.equal(child(), "gone");
    a.set_inheritable(true);
    assert.equal(a.get_inheritable(), true);
    assert.equal(child(), "there");
    a.set_inheritable(false);
    assert.equal(child(), "gone");
    a.close();
    b.close();
    assert.throws(() => a.get_inheritable(), { code: "EBADF" });
    assert.throws(() => a.set_inheritable(true), { code: "EBADF" });
  });

  test(`detach() gives the descriptor away, for close() or another Socket (${name})`, () => {
    const made = socket.socket();
    const fd = made.detach();
    assert.ok(isOpen(fd));
    assert.equal(made.fileno(), -1);
    using again = socket.socket(undefined, undefined, undefined, { fileno: fd });
    assert.deepEqual([again.fileno(), again.family, again.type], [fd, socket.AF_INET, SOCK_STREAM]);
  });

  test(`has_dualstack_ipv6() says whether create_server's dualstack_ipv6 works (${name})`, () => {
    assert.equal(socket.has_ipv6, true);
    let works = true;
    try {
      socket.create_server(["", 0], { family: socket.AF_INET6, dualstack_ipv6: true }).close();
    } catch {
      works = false;
    }
    assert.equal(socket.has_dualstack_ipv6(), works);
  });
}
