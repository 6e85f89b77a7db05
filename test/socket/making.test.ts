// Making a socket, and its life: what kind it is, whose descriptor it has, its words for a person, its end.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  AF_INET,
  AF_INET6,
  IPPROTO_TCP,
  SOCK_CLOEXEC,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  Socket,
  getdefaulttimeout,
  setdefaulttimeout,
  socket,
} from "berkeley";
import { codeOf, openSockets, tcpPair, thrown } from "../support/pair.ts";

/** A socket over a descriptor that is there already. */
function over(fileno: number, family?: number, type?: number, proto?: number): Socket {
  return socket(family, type, proto, { fileno });
}

test("socket() makes an IPv4 stream by default", () => {
  using made = socket();
  assert.ok(made instanceof Socket);
  assert.deepEqual([made.family, made.type, made.proto], [AF_INET, SOCK_STREAM, 0]);
  assert.ok(made.fileno() >= 0);
  assert.deepEqual([made.closed, made.gettimeout(), made.getblocking()], [false, null, true]);
});

test("socket() makes what it is asked for, and tells the type without its flags", () => {
  using made = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  assert.deepEqual([made.family, made.type, made.proto], [AF_INET6, SOCK_STREAM, IPPROTO_TCP]);
  assert.equal(made.gettimeout(), 0);
});

test("socket() and accept() make descriptors that no child process inherits", async () => {
  using pair = await tcpPair();
  const inherited = execFileSync("/bin/sh", ["-c", "ls -l /proc/self/fd"], { encoding: "utf8" });
  const ours = openSockets().filter((open) =>
    [pair.a.fileno(), pair.b.fileno()].includes(Number.parseInt(open, 10)),
  );
  assert.equal(ours.length, 2);
  for (const open of ours) assert.ok(!inherited.includes(open.split(" ")[1] as string), open);
});

test("socket() refuses arguments that are none, by their names", () => {
  for (const [name, call] of Object.entries({
    family: (value: never) => socket(value),
    type: (value: never) => socket(undefined, value),
    proto: (value: never) => socket(undefined, undefined, value),
    fileno: (value: never) => socket(undefined, undefined, undefined, { fileno: value }),
  })) {
    for (const value of ["2", {}, 2n, Symbol("x"), true]) {
      const error = thrown(() => call(value as never));
      assert.deepEqual([error.name, error.code], ["TypeError", "ERR_INVALID_ARG_TYPE"], name);
      assert.match(error.message, new RegExp(`^${name} `));
    }
    for (const value of [1.5, Number.NaN, Infinity, -(2 ** 40), 2 ** 53]) {
      const error = thrown(() => call(value as never));
      assert.deepEqual([error.name, error.code], ["RangeError", "ERR_OUT_OF_RANGE"], name);
      assert.match(error.message, new RegExp(`^${name} `));
    }
  }
});

test("socket() throws the system's refusal with its code", () => {
  const error = thrown(() => socket(AF_INET, 12));
  assert.deepEqual([error.name, error.code, error.syscall], ["SocketError", "EINVAL", "socket"]);
  assert.match(error.message, /^socket EINVAL: /);
});

test("socket() with fileno adopts a descriptor and asks it what it is", async () => {
  using pair = await tcpPair({ host: "::1" });
  const fd = pair.a.detach();
  using adopted = over(fd);
  assert.deepEqual(
    [adopted.fileno(), adopted.family, adopted.type, adopted.proto],
    [fd, AF_INET6, SOCK_STREAM, IPPROTO_TCP],
  );
  await adopted.sendall("adopted");
  assert.equal((await pair.b.recv(10)).toString(), "adopted");
  adopted.close();
  assert.equal((await pair.b.recv(10)).length, 0, "close() closed the descriptor");
});

test("socket() with fileno believes what it is told of the kind", () => {
  using made = socket(AF_INET, SOCK_DGRAM);
  using adopted = over(made.detach(), AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 7);
  assert.deepEqual([adopted.family, adopted.type, adopted.proto], [AF_INET6, SOCK_STREAM, 7]);
});

test("socket() with fileno throws for a number that is no socket, and leaves it alone", () => {
  const file = openSync("/dev/null", "r");
  assert.equal(thrown(() => over(file)).code, "ENOTSOCK");
  closeSync(file);
  assert.equal(thrown(() => over(file)).code, "EBADF");
  assert.equal(thrown(() => over(file, AF_INET, SOCK_STREAM, 0)).code, "EBADF");
});

test("recv() rejects with ENOTSOCK over a descriptor that was said to be a socket", async () => {
  const file = openSync("/dev/null", "r");
  using adopted = over(file, AF_INET, SOCK_STREAM, 0);
  assert.equal(await codeOf(adopted.recv(1)), "ENOTSOCK");
});

test("detach() gives the descriptor away, open, and leaves the socket as closed", () => {
  const made = socket();
  const fd = made.fileno();
  assert.equal(made.detach(), fd);
  assert.deepEqual([made.fileno(), made.closed], [-1, true]);
  made.close(); // does nothing to what was given away
  over(fd).close();
  assert.equal(thrown(() => over(fd)).code, "EBADF");
});

test("a socket is closed when its scope ends, with using and with await using", async () => {
  let fds: number[] = [];
  {
    using one = socket();
    await using two = socket();
    fds = [one.fileno(), two.fileno()];
  }
  for (const fd of fds) assert.equal(thrown(() => over(fd)).code, "EBADF");
});

test("close() of a socket that was disposed of does nothing", async () => {
  const made = socket();
  made[Symbol.dispose]();
  await made[Symbol.asyncDispose]();
  made.close();
  assert.equal(made.closed, true);
});

test("a socket shows its kind and both ends to a person", async () => {
  using pair = await tcpPair();
  const { a } = pair;
  const [host, port] = a.getsockname();
  const kind = `<Socket fd=${a.fileno()}, family=${AF_INET}, type=${SOCK_STREAM}, proto=0, `;
  assert.ok(String(a).startsWith(`${kind}laddr=[ '${host}', ${port} ], `), String(a));
  assert.match(String(a), /raddr=\[ '127\.0\.0\.1', \d+ \]>$/);
  assert.equal(inspect(a), String(a));
});

test("setdefaulttimeout() sets what new sockets begin with, those of accept() too", async () => {
  assert.equal(getdefaulttimeout(), null);
  try {
    setdefaulttimeout(2.5);
    assert.equal(getdefaulttimeout(), 2.5);
    using pair = await tcpPair();
    assert.deepEqual([pair.a.gettimeout(), pair.b.gettimeout()], [2.5, 2.5]);
    using never = socket(undefined, SOCK_STREAM | SOCK_NONBLOCK);
    assert.equal(never.gettimeout(), 0, "SOCK_NONBLOCK comes first, as in CPython");
  } finally {
    setdefaulttimeout(null);
  }
  for (const value of ["1", undefined, {}])
    assert.equal(thrown(() => setdefaulttimeout(value as never)).code, "ERR_INVALID_ARG_TYPE");
  for (const value of [-1, Number.NaN])
    assert.equal(thrown(() => setdefaulttimeout(value)).code, "ERR_OUT_OF_RANGE");
  assert.equal(getdefaulttimeout(), null);
});
