// What child processes have of sockets, in both faces: nothing, unless told so; whatever way the socket was made.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { AF_INET, AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } from "berkeley";
import type { Socket } from "berkeley";
import { anything, codeOf, faceTest } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";
import { PYTHON, python } from "../support/python.ts";

/** Every way to make a socket: the socket, and what has to be closed with it. */
const MAKERS: Readonly<Record<string, (face: Face) => Promise<Socket[]>>> = {
  "socket()": async (face) => [face.socket()],
  "socket() of datagrams": async (face) => [face.socket(AF_INET, SOCK_DGRAM)],
  "socket() with SOCK_CLOEXEC": async (face) => [face.socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC)],
  "socketpair()": async (face) => face.socketpair(),
  "socketpair() of packets": async (face) => face.socketpair(AF_UNIX, SOCK_SEQPACKET),
  "dup()": async (face) => {
    const sock = face.socket();
    return [sock.dup(), sock];
  },
  "fromfd()": async (face) => {
    const sock = face.socket();
    return [face.fromfd(sock.fileno(), AF_INET, SOCK_STREAM), sock];
  },
  "socket() with fileno": async (face) => {
    const fd = face.dup(face.socket().detach());
    return [face.socket(undefined, undefined, undefined, { fileno: fd })];
  },
  "create_server() and create_connection()": async (face) => {
    const server = face.create_server(["127.0.0.1", 0]);
    const client = await face.create_connection(server.getsockname<[string, number]>());
    return [server, client, (await server.accept())[0]];
  },
};

/** FD_CLOEXEC as the kernel tells it. */
function closeOnExec(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
  return (Number.parseInt(flags ?? "0", 8) & 0o2000000) !== 0;
}

for (const [how, make] of Object.entries(MAKERS)) {
  faceTest(`${how} makes what no child inherits, until told so`, async (face) => {
    for (const sock of await make(face)) {
      using made = sock;
      assert.deepEqual([made.get_inheritable(), closeOnExec(made.fileno())], [false, true]);
      made.set_inheritable(true);
      assert.deepEqual([made.get_inheritable(), closeOnExec(made.fileno())], [true, false]);
      made.set_inheritable(false);
      assert.deepEqual([made.get_inheritable(), closeOnExec(made.fileno())], [false, true]);
    }
  });

  faceTest(`${how}: a copy of an inheritable socket is not inheritable`, async (face) => {
    for (const sock of await make(face)) {
      using made = sock;
      made.set_inheritable(true);
      using copy = made.dup();
      assert.deepEqual([copy.get_inheritable(), made.get_inheritable()], [false, true]);
    }
  });
}

faceTest("dup(fd) makes a descriptor that no child inherits", (face) => {
  using sock = face.socket();
  sock.set_inheritable(true);
  const fd = face.dup(sock.fileno());
  assert.equal(closeOnExec(fd), true);
  face.close(fd);
  assert.throws(() => face.close(fd), { code: "EBADF", syscall: "close" });
});

faceTest(
  "CPython has an inherited socket by its number, and not one that is not",
  async (face) => {
    const program = `
import os
for fd, there in zip(map(int, sys.argv[1::2]), sys.argv[2::2]):
    try:
        os.fstat(fd)
        found = "yes"
    except OSError:
        found = "no"
    assert found == there, (fd, there)`;
    using given = face.socket();
    using kept = face.socket();
    given.set_inheritable(true);
    await using child = python(program, [given.fileno(), "yes", kept.fileno(), "no"]);
    await child.succeeded();
  },
  { skip: PYTHON.skip },
);

faceTest("set_inheritable() and socket() with fileno refuse what is none", async (face) => {
  for (const [fileno, code] of [
    [-1, "ERR_OUT_OF_RANGE"],
    [1.5, "ERR_OUT_OF_RANGE"],
    [2 ** 31, "ERR_OUT_OF_RANGE"],
    ["5", "ERR_INVALID_ARG_TYPE"],
    [{}, "ERR_INVALID_ARG_TYPE"],
    [2 ** 30, "EBADF"],
  ] as const)
    assert.equal(
      await codeOf(() => face.socket(undefined, undefined, undefined, { fileno: anything(fileno) })),
      code,
    );
  for (const [fd, code] of [
    [-1, "ERR_OUT_OF_RANGE"],
    ["5", "ERR_INVALID_ARG_TYPE"],
    [2 ** 30, "EBADF"],
  ] as const)
    for (const call of [
      () => face.fromfd(anything(fd), AF_INET, SOCK_STREAM),
      () => face.dup(anything(fd)),
      () => face.close(anything(fd)),
    ])
      assert.equal(await codeOf(call), code);
});
