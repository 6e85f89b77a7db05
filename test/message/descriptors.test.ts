// Descriptors that travel over Unix sockets: who has them, who closes them, what is left when nobody takes them.

import assert from "node:assert/strict";
import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { test } from "node:test";
import {
  AF_UNIX,
  CMSG_LEN,
  CMSG_SPACE,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_PEEK,
  SCM_CREDENTIALS,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_PASSCRED,
  recv_fds,
  send_fds,
  socket,
  socketpair,
} from "berkeley";
import type { Socket } from "berkeley";
import { ReceiveMessage } from "#dist/socket/controls.js";
import { isOpen, nullDescriptors, openDescriptors, sameFile } from "../support/descriptors.ts";
import { codeOf } from "../support/errors.ts";

// The engine opens a descriptor of its own with the first socket.
for (const sock of socketpair()) sock.close();

const KINDS = { stream: SOCK_STREAM, datagram: SOCK_DGRAM, seqpacket: SOCK_SEQPACKET };

/** Runs a test on a pair of sockets, and checks that it leaves the descriptors that it found, no more and no fewer. */
function pairTest(name: string, type: number, body: (a: Socket, b: Socket) => Promise<void>): void {
  test(name, async () => {
    const before = openDescriptors();
    {
      const [first, second] = socketpair(AF_UNIX, type);
      using a = first;
      using b = second;
      await body(a, b);
    }
    assert.deepEqual(openDescriptors(), before);
  });
}

function closeOnExec(fd: number): boolean {
  const flags = /^flags:\s*([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"))?.[1];
  return (Number.parseInt(flags ?? "0", 8) & 0o2000000) !== 0;
}

for (const [kind, type] of Object.entries(KINDS)) {
  pairTest(`send_fds() and recv_fds() pass descriptors of the same files (${kind})`, type, async (a, b) => {
    using files = nullDescriptors(3);
    assert.equal(await send_fds(a, ["here ", "you are"], files.fds), 12);
    const [msg, fds, flags, address] = await recv_fds(b, 1024, 3);
    assert.equal(msg.toString(), "here you are");
    assert.equal(flags & MSG_CTRUNC, 0);
    assert.equal(address, "");
    assert.equal(fds.length, 3);
    for (const fd of fds) {
      assert.ok(!files.fds.includes(fd));
      assert.ok(sameFile(fd, files.fds[0] as number));
      assert.ok(closeOnExec(fd));
      closeSync(fd);
    }
  });

  pairTest(`recv_fds() that waits resolves when descriptors arrive (${kind})`, type, async (a, b) => {
    using files = nullDescriptors(1);
    const waiting = recv_fds(b, 16, 1);
    await send_fds(a, ["x"], files.fds);
    const [, fds] = await waiting;
    assert.equal(fds.length, 1);
    closeSync(fds[0] as number);
  });

  for (const asked of [0, 1, 2])
    pairTest(
      `recv_fds() of ${asked} closes the others of 5 and says MSG_CTRUNC (${kind})`,
      type,
      async (a, b) => {
        using files = nullDescriptors(5);
        await send_fds(a, ["x"], files.fds);
        const [, fds, flags] = await recv_fds(b, 16, asked);
        assert.equal(fds.length, asked);
        assert.equal(flags & MSG_CTRUNC, MSG_CTRUNC);
        for (const fd of fds) closeSync(fd);
      },
    );

  for (const [what, room, expected] of [
    ["no room", 0, 0],
    ["less room than a header", 15, 0],
    ["room for a header alone", CMSG_LEN(0), 0],
    ["room for half of one", CMSG_LEN(2), 0],
    ["room for one", CMSG_LEN(4), 1],
    ["room for one and a half", CMSG_LEN(6), 1],
    ["room for one, padded", CMSG_SPACE(4), 2],
    ["room for all", CMSG_LEN(20), 5],
  ] as const)
    pairTest(`recvmsg() with ${what} gives ${expected} of 5 descriptors (${kind})`, type, async (a, b) => {
      using files = nullDescriptors(5);
      await send_fds(a, ["x"], files.fds);
      const [, ancdata, flags] = await b.recvmsg(16, room);
      assert.equal((flags & MSG_CTRUNC) !== 0, expected < 5);
      const fds = ancdata.flatMap(([, , data]) => [...new Int32Array(new Uint8Array(data).buffer)]);
      assert.equal(fds.length, expected);
      for (const fd of fds) closeSync(fd);
    });

  pairTest(`recv() and recvfrom() leave no descriptor behind (${kind})`, type, async (a, b) => {
    using files = nullDescriptors(4);
    await send_fds(a, ["x"], files.fds);
    await send_fds(a, ["y"], files.fds);
    assert.equal((await b.recv(1)).toString(), "x");
    assert.equal((await b.recvfrom(1))[0].toString(), "y");
  });

  pairTest(`close() lets go of descriptors that nobody has received (${kind})`, type, async (a, b) => {
    const counted = openDescriptors();
    {
      using files = nullDescriptors(4);
      await send_fds(a, ["x"], files.fds);
    }
    assert.deepEqual(openDescriptors(), counted);
    b.close();
  });

  pairTest(`recvmsg() that is aborted or closed takes no descriptor (${kind})`, type, async (a, b) => {
    using files = nullDescriptors(2);
    const stop = new AbortController();
    const aborted = recv_fds(b, 16, 2, 0, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await send_fds(a, ["x"], files.fds);
    await assert.rejects(aborted, /enough/);
    const [, fds] = await recv_fds(b, 16, 2);
    assert.equal(fds.length, 2);
    for (const fd of fds) closeSync(fd);
    const canceled = codeOf(recv_fds(b, 16, 2));
    b.close();
    assert.equal(await canceled, "ECANCELED");
  });

  pairTest(`recvmsg() with MSG_PEEK gives descriptors each time (${kind})`, type, async (a, b) => {
    using files = nullDescriptors(1);
    await send_fds(a, ["x"], files.fds);
    for (const flags of [MSG_PEEK, MSG_PEEK, 0]) {
      const [, fds] = await recv_fds(b, 16, 1, flags);
      assert.equal(fds.length, 1);
      closeSync(fds[0] as number);
    }
  });
}

pairTest(
  "recvmsg() closes the descriptors that came when its answer cannot be made",
  SOCK_DGRAM,
  async (a, b) => {
    using files = nullDescriptors(3);
    await send_fds(a, ["x"], files.fds);
    const counted = openDescriptors();
    const failing = {
      family: b.family,
      type: b.type,
      proto: b.proto,
      engine: Reflect.get(b, "engine") as never,
      descriptor: Reflect.get(b, "descriptor") as never,
      guess: 0,
      failure: (): Error => new Error("failed"),
      expiry: (): Error => new Error("late"),
      unnamedSender: (): never => {
        throw new Error("half-way");
      },
    };
    const receive = new ReceiveMessage(failing, 16, CMSG_SPACE(12), 0);
    assert.equal(receive.attempt(), 1);
    assert.equal(openDescriptors().size, counted.size + 3);
    assert.throws(() => receive.value(1), /half-way/);
    assert.deepEqual(openDescriptors(), counted);
  },
);

pairTest("send_fds() passes 253 descriptors, and rejects with EINVAL for more", SOCK_STREAM, async (a, b) => {
  using files = nullDescriptors(254);
  assert.equal(await codeOf(send_fds(a, ["x"], files.fds)), "EINVAL");
  await send_fds(a, ["x"], files.fds.slice(0, 253));
  const [, fds] = await recv_fds(b, 16, 253);
  assert.equal(fds.length, 253);
  for (const fd of fds) closeSync(fd);
});

pairTest("send_fds() rejects with EBADF when one of them is not open", SOCK_STREAM, async (a, b) => {
  using files = nullDescriptors(1);
  const closed = openSync("/dev/null", "r");
  closeSync(closed);
  assert.equal(await codeOf(send_fds(a, ["x"], [...files.fds, closed])), "EBADF");
  assert.equal(await codeOf(b.recv(1, MSG_DONTWAIT)), "EAGAIN");
});

pairTest("send_fds() and recv_fds() reject arguments of the wrong kind", SOCK_STREAM, async (a, b) => {
  const wrong = (value: unknown): never => value as never;
  const type = { code: "ERR_INVALID_ARG_TYPE", message: /^fds/ };
  await assert.rejects(send_fds(a, ["x"], wrong(5)), type);
  await assert.rejects(send_fds(a, ["x"], [wrong("5")]), type);
  await assert.rejects(send_fds(a, ["x"], [-1]), { code: "ERR_OUT_OF_RANGE", message: /^fds/ });
  await assert.rejects(recv_fds(b, 1, -1), { code: "ERR_OUT_OF_RANGE", message: /^maxfds/ });
});

pairTest(
  "recv_fds() has room for the descriptors beside the sender's credentials",
  SOCK_STREAM,
  async (a, b) => {
    b.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
    using files = nullDescriptors(2);
    await send_fds(a, ["x"], files.fds);
    const [, fds, flags] = await recv_fds(b, 16, 2);
    assert.equal(fds.length, 2);
    assert.equal(flags & MSG_CTRUNC, 0);
    for (const fd of fds) closeSync(fd);
  },
);

pairTest("recvmsg() gives the sender's credentials with each message", SOCK_DGRAM, async (a, b) => {
  b.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
  await a.send("who am I");
  const [data, ancdata, flags] = await b.recvmsg(64, CMSG_SPACE(12));
  assert.equal(data.toString(), "who am I");
  assert.equal(flags & MSG_CTRUNC, 0);
  const [[level, type, ucred]] = ancdata as [[number, number, Buffer]];
  assert.deepEqual([level, type], [SOL_SOCKET, SCM_CREDENTIALS]);
  assert.deepEqual(
    [...new Uint32Array(new Uint8Array(ucred).buffer)],
    [process.pid, process.getuid?.(), process.getgid?.()],
  );
});

pairTest(
  "sendmsg() sends credentials, and rejects with EPERM when they are another's",
  SOCK_DGRAM,
  async (a, b) => {
    b.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
    const own = Uint32Array.of(process.pid, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
    await a.sendmsg(["mine"], [[SOL_SOCKET, SCM_CREDENTIALS, own]]);
    const [, [[, , ucred]]] = (await b.recvmsg(64, 64)) as unknown as [Buffer, [[number, number, Buffer]]];
    assert.deepEqual(new Uint32Array(new Uint8Array(ucred).buffer), own);
    // Root may say anything about users, but a process that there is not, nobody may.
    const none = Uint32Array.of(2 ** 30, ...own.subarray(1));
    assert.match(await codeOf(a.sendmsg(["x"], [[SOL_SOCKET, SCM_CREDENTIALS, none]])), /^(ESRCH|EPERM)$/);
  },
);

pairTest(
  "recvmsg() cuts credentials for which there is no room, and says MSG_CTRUNC",
  SOCK_DGRAM,
  async (a, b) => {
    b.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
    await a.send("x");
    const [, ancdata, flags] = await b.recvmsg(64, CMSG_LEN(5));
    assert.equal(flags & MSG_CTRUNC, MSG_CTRUNC);
    assert.deepEqual(
      ancdata.map(([level, type, data]) => [level, type, data.length]),
      [[SOL_SOCKET, SCM_CREDENTIALS, 5]],
    );
  },
);

pairTest(
  "recvmsg_into() gives descriptors, and sends of a stream stop at them",
  SOCK_STREAM,
  async (a, b) => {
    using files = nullDescriptors(1);
    await a.send("before");
    await send_fds(a, ["with"], files.fds);
    await a.send("after");
    const into = Buffer.alloc(64);
    const heard: [string, number][] = [];
    for (let total = 0; total < 15; ) {
      const [nbytes, ancdata] = await b.recvmsg_into([into], CMSG_LEN(4));
      total += nbytes;
      heard.push([into.toString("latin1", 0, nbytes), ancdata.length]);
      for (const [, , data] of ancdata) closeSync(data.readInt32LE());
    }
    assert.equal(heard.map(([text]) => text).join(""), "beforewithafter");
    assert.deepEqual(heard.filter(([, count]) => count > 0).length, 1);
    assert.match(heard.find(([, count]) => count > 0)?.[0] as string, /with/);
  },
);

pairTest("a connection that was passed goes on where it was", SOCK_STREAM, async (a, b) => {
  const [left, right] = socketpair();
  using mine = left;
  await mine.send("before it was passed");
  await send_fds(a, ["x"], [right.fileno()]);
  right.close();
  const [, [fd]] = await recv_fds(b, 1, 1);
  using passed = socket(undefined, undefined, undefined, { fileno: fd });
  assert.equal(passed.family, AF_UNIX);
  assert.equal((await passed.recv(64)).toString(), "before it was passed");
  await passed.send("after it");
  assert.equal((await mine.recv(64)).toString(), "after it");
});

pairTest(
  "descriptors of the caller's stay the caller's when its sockets are closed",
  SOCK_STREAM,
  async (a, b) => {
    using files = nullDescriptors(1);
    await send_fds(a, ["x"], files.fds);
    const [, fds] = await recv_fds(b, 1, 1);
    a.close();
    b.close();
    const fd = fds[0] as number;
    assert.ok(isOpen(fd) && isOpen(files.fds[0] as number));
    assert.equal(readSync(fd, Buffer.alloc(1)), 0);
    assert.ok(fstatSync(fd).isCharacterDevice());
    closeSync(fd);
  },
);

test("ETOOMANYREFS or nothing: descriptors in flight that pass each other leave no descriptor behind", async () => {
  const before = openDescriptors();
  {
    // Each end is in the other's queue: only the kernel's collector frees what is closed so.
    const [first, second] = socketpair();
    await send_fds(first, ["x"], [first.fileno(), second.fileno()]);
    first.close();
    second.close();
  }
  assert.deepEqual(openDescriptors(), before);
});
