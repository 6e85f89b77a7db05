// Who is at the other end of a Unix socket: credentials, groups, a descriptor of the process, of a connection and of each
// message; by typed options and control messages, with CPython as the other process.

import assert from "node:assert/strict";
import { closeSync, readFileSync } from "node:fs";
import { test } from "node:test";
import * as b from "berkeley";
import type { Socket } from "berkeley";
import { openDescriptors } from "../support/descriptors.ts";
import { python, PYTHON } from "../support/python.ts";

const ROOM = 256;

/** The process that a pidfd is of. */
function processOf(fd: number): number {
  return Number(/^Pid:\s*(-?\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1]);
}

/** Why this kernel does not do something with a pair, or false. */
function lacks(what: (one: Socket) => unknown): string | false {
  const [first, second] = b.socketpair();
  using one = first;
  using two = second;
  try {
    const made = what(one);
    if (typeof made === "number") closeSync(made);
    return two.closed ? "closed" : false;
  } catch (error) {
    return (error as Error).message;
  }
}
const PEERPIDFD = lacks((one) => one.options.SO_PEERPIDFD());
const PASSPIDFD = lacks((one) => void (one.options.SO_PASSPIDFD = true));
const PEERSEC = lacks((one) => one.options.SO_PEERSEC.slice(0, 0));

test("options tell the credentials and groups of a connection's peer", () => {
  const [first, second] = b.socketpair();
  using one = first;
  using two = second;
  const own = { pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() };
  assert.deepEqual(one.options.SO_PEERCRED, own);
  assert.deepEqual(two.options.SO_PEERCRED, own);
  const groups = one.options.SO_PEERGROUPS.toSorted((a, z) => a - z);
  // getgroups(2) of Node also has the effective group.
  const expected = new Set(process.getgroups?.());
  for (const group of groups) assert.ok(expected.has(group), `${group}`);
});

test("options tell the security context of a connection's peer, or that this system has none", () => {
  const [first, second] = b.socketpair();
  using one = first;
  using two = second;
  if (PEERSEC === false) assert.equal(one.options.SO_PEERSEC, two.options.SO_PEERSEC);
  else assert.match(PEERSEC, /^getsockopt ENOPROTOOPT: .*; option SO_PEERSEC$/);
});

test("options open a descriptor of the peer's process", { skip: PEERPIDFD }, () => {
  const before = openDescriptors();
  const [first, second] = b.socketpair();
  const fd = first.options.SO_PEERPIDFD();
  assert.equal(processOf(fd), process.pid);
  b.close(fd);
  first.close();
  second.close();
  assert.deepEqual(openDescriptors(), before);
});

test("recvmsg() brings a descriptor of the sender's process with each message, the caller's to close", {
  skip: PASSPIDFD,
}, async () => {
  const before = openDescriptors();
  const [first, second] = b.socketpair(b.AF_UNIX, b.SOCK_DGRAM);
  second.options.SO_PASSPIDFD = true;
  await first.send("who");
  const [data, ancdata, flags] = await second.recvmsg(10, ROOM);
  assert.equal(data.toString(), "who");
  assert.equal(flags & b.MSG_CTRUNC, 0);
  const fd = b.decode_ancillary(ancdata).SCM_PIDFD as number;
  assert.equal(processOf(fd), process.pid);
  b.close(fd);
  // Nobody asked for this one.
  await first.send("again");
  assert.equal((await second.recv(10)).toString(), "again");
  await first.send("and again");
  assert.deepEqual((await b.recv_fds(second, 10, 1))[1], []);
  first.close();
  second.close();
  assert.deepEqual(openDescriptors(), before);
});

test("a CPython peer is told by its process, in options and with each message", {
  skip: PYTHON.skip || PEERPIDFD || PASSPIDFD,
}, async () => {
  using server = b.create_server("", { family: b.AF_UNIX });
  const name = server.getsockname<b.UnixAddress>() as Buffer;
  await using peer = python(
    `
import os
sock = socket(AF_UNIX, SOCK_STREAM)
sock.connect(bytes.fromhex(sys.argv[1]))
say("pid", os.getpid(), *sorted(os.getgroups()))
sock.recv(1)
sock.sendall(b"x")
sock.recv(1)`,
    [Buffer.from(name).toString("hex")],
  );
  const [, words] = await peer.line(/^pid (.*)$/m);
  const [pid, ...groups] = (words as string).split(" ").map(Number);
  const [conn] = await server.accept();
  using accepted = conn;
  assert.equal(accepted.options.SO_PEERCRED.pid, pid);
  assert.deepEqual(
    accepted.options.SO_PEERGROUPS.toSorted((a, z) => a - z),
    groups,
  );
  const fd = accepted.options.SO_PEERPIDFD();
  assert.equal(processOf(fd), pid);
  b.close(fd);
  accepted.options.SO_PASSPIDFD = accepted.options.SO_PASSCRED = true;
  await accepted.send("?");
  const fields = b.decode_ancillary((await accepted.recvmsg(10, ROOM))[1]);
  assert.equal(fields.SCM_CREDENTIALS?.pid, pid);
  assert.equal(processOf(fields.SCM_PIDFD as number), pid);
  b.close(fields.SCM_PIDFD as number);
  await accepted.send("!");
  await peer.succeeded();
});

test("MSG_CMSG_CLOEXEC is how descriptors come, asked for or not", async () => {
  const [first, second] = b.socketpair();
  using one = first;
  using two = second;
  for (const flags of [0, b.MSG_CMSG_CLOEXEC]) {
    await b.send_fds(one, ["x"], [one.fileno()]);
    const [, ancdata, came] = await two.recvmsg(1, ROOM, flags);
    assert.equal(came & b.MSG_CMSG_CLOEXEC, flags);
    const [fd] = b.decode_ancillary(ancdata).SCM_RIGHTS as [number];
    using passed = b.socket(undefined, undefined, undefined, { fileno: fd });
    assert.equal(passed.get_inheritable(), false);
  }
});
