// Messages in pieces and with control data: recvmsg, recvmsg_into, sendmsg, over UDP, TCP and Unix sockets.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_UNIX,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_PEEK,
  MSG_TRUNC,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SocketError,
  create_connection,
  socketpair,
} from "berkeley";
import type { Socket } from "berkeley";
import { listenAt } from "../support/berkeley-tcp.ts";
import { codeOf } from "../support/errors.ts";
import { udpPair } from "../support/udp.ts";

/** Two connected sockets of each kind that have messages. */
const KINDS: Record<string, () => Promise<readonly [Socket, Socket]>> = {
  "connected UDP": async () => {
    const { a, b, from, to } = udpPair();
    await Promise.all([a.connect(to), b.connect(from)]);
    return [a, b];
  },
  TCP: async () => {
    using listener = listenAt();
    const client = await create_connection(["127.0.0.1", listener.port]);
    return [client, await listener.accept()];
  },
  "Unix stream": async () => socketpair(AF_UNIX, SOCK_STREAM),
  "Unix datagram": async () => socketpair(AF_UNIX, SOCK_DGRAM),
  "Unix seqpacket": async () => socketpair(AF_UNIX, SOCK_SEQPACKET),
};

for (const [kind, make] of Object.entries(KINDS)) {
  const pairTest = (name: string, body: (a: Socket, b: Socket) => Promise<void>): void => {
    test(`${name} (${kind})`, async () => {
      const [first, second] = await make();
      using a = first;
      using b = second;
      await body(a, b);
    });
  };
  const isStream = kind.includes("stream") || kind === "TCP";

  pairTest("sendmsg() gathers pieces and recvmsg() receives them as one message", async (a, b) => {
    const pieces = ["one ", Buffer.from("two "), new Uint8Array(0), new TextEncoder().encode("three").buffer];
    assert.equal(await a.sendmsg(pieces), 13);
    const [data, ancdata, flags] = await b.recvmsg(1024, 1024);
    assert.equal(data.toString(), "one two three");
    assert.deepEqual(ancdata, []);
    assert.equal(flags & (MSG_TRUNC | MSG_CTRUNC), 0);
  });

  pairTest("recvmsg() that waits resolves when a message arrives", async (a, b) => {
    const waiting = b.recvmsg(1024);
    await a.sendmsg(["late"]);
    assert.equal((await waiting)[0].toString(), "late");
  });

  pairTest("recvmsg_into() fills one piece after the other", async (a, b) => {
    const pieces = [Buffer.alloc(3, "."), new Uint8Array(0), new Uint16Array(2), Buffer.alloc(5, ".")];
    await a.sendmsg(["0123456789"]);
    const [nbytes, ancdata, flags] = await b.recvmsg_into(pieces);
    assert.equal(nbytes, 10);
    assert.deepEqual(ancdata, []);
    assert.equal(flags, 0);
    assert.equal(
      Buffer.concat(
        pieces.map((view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength)),
      ).toString(),
      "0123456789..",
    );
  });

  pairTest(
    `recvmsg() with less room than there is ${isStream ? "leaves the rest" : "says MSG_TRUNC"}`,
    async (a, b) => {
      await a.sendmsg(["0123456789"]);
      const [data, , flags] = await b.recvmsg(4);
      assert.equal(data.toString(), "0123");
      if (isStream) {
        assert.equal(flags, 0);
        assert.equal((await b.recvmsg(64))[0].toString(), "456789");
      } else {
        assert.equal(flags, MSG_TRUNC);
        await a.sendmsg(["next"]);
        assert.equal((await b.recvmsg(64))[0].toString(), "next");
      }
    },
  );

  pairTest("recvmsg() with MSG_PEEK leaves the message where it is", async (a, b) => {
    await a.sendmsg(["once"]);
    assert.equal((await b.recvmsg(64, 0, MSG_PEEK))[0].toString(), "once");
    assert.equal((await b.recvmsg(64))[0].toString(), "once");
    assert.equal(await codeOf(b.recvmsg(64, 0, MSG_DONTWAIT)), "EAGAIN");
  });

  pairTest("recvmsg() rejects with a TimeoutError when nothing comes, and loses nothing", async (a, b) => {
    b.settimeout(0.02);
    await assert.rejects(b.recvmsg(16), { name: "TimeoutError", syscall: "recvmsg" });
    await assert.rejects(b.recvmsg_into([Buffer.alloc(3)]), { name: "TimeoutError", syscall: "recvmsg" });
    await a.sendmsg(["later"]);
    assert.equal((await b.recvmsg(16))[0].toString(), "later");
  });

  pairTest("recvmsg() that is aborted rejects with the reason and loses nothing", async (a, b) => {
    const stop = new AbortController();
    const aborted = b.recvmsg(16, 0, 0, { signal: stop.signal });
    stop.abort(new Error("enough"));
    await assert.rejects(aborted, /enough/);
    await a.sendmsg(["kept"]);
    assert.equal((await b.recvmsg(16))[0].toString(), "kept");
  });

  pairTest("recvmsg() that waits rejects with ECANCELED when the socket is closed", async (_a, b) => {
    const waiting = codeOf(b.recvmsg(16));
    b.close();
    assert.equal(await waiting, "ECANCELED");
    assert.equal(await codeOf(b.recvmsg(16)), "EBADF");
    assert.equal(await codeOf(b.recvmsg_into([Buffer.alloc(1)])), "EBADF");
    assert.equal(await codeOf(b.sendmsg(["x"])), "EBADF");
  });

  if (kind !== "connected UDP" && kind !== "Unix datagram")
    pairTest("recvmsg() gives no bytes when the peer has ended", async (a, b) => {
      await a.sendmsg(["last"]);
      a.close();
      assert.equal((await b.recvmsg(16))[0].toString(), "last");
      const [data, ancdata, flags] = await b.recvmsg(16, 64);
      assert.equal(data.length, 0);
      assert.deepEqual(ancdata, []);
      assert.equal(flags, 0);
    });
  else
    pairTest("recvmsg() gives no bytes for an empty message, and goes on", async (a, b) => {
      await a.sendmsg([]);
      await a.sendmsg(["next"]);
      assert.equal((await b.recvmsg(16))[0].length, 0);
      assert.equal((await b.recvmsg(16))[0].toString(), "next");
    });

  if (isStream)
    pairTest("sendmsg() of more than the kernel takes says how much went", async (a, b) => {
      const piece = Buffer.alloc(1 << 20, "p");
      const pieces = Array.from({ length: 64 }, () => piece);
      const sent = await a.sendmsg(pieces);
      assert.ok(sent > 0 && sent < 64 << 20, `${sent} bytes`);
      for (let received = 0; received < sent; ) received += (await b.recvmsg(1 << 18))[0].length;
      assert.equal(await codeOf(b.recvmsg(1, 0, MSG_DONTWAIT)), "EAGAIN");
    });
}

test("sendmsg() sends to an address, and recvmsg() tells the sender", async () => {
  using pair = udpPair();
  assert.equal(await pair.a.sendmsg(["to ", "you"], [], 0, pair.to), 6);
  const [data, , , address] = await pair.b.recvmsg(64);
  assert.equal(data.toString(), "to you");
  assert.deepEqual(address, pair.from);
});

test("sendmsg() looks a host name up", async () => {
  using pair = udpPair();
  await pair.a.sendmsg(["by name"], [], 0, ["localhost", pair.to[1]]);
  assert.equal((await pair.b.recv(64)).toString(), "by name");
});

test("sendmsg() rejects with EDESTADDRREQ when there is neither a peer nor an address", async () => {
  using pair = udpPair();
  assert.equal(await codeOf(pair.a.sendmsg(["x"])), "EDESTADDRREQ");
});

test("sendmsg() rejects with EMSGSIZE and names the destination when the datagram is too long", async () => {
  using pair = udpPair();
  const pieces = [Buffer.alloc(60_000), Buffer.alloc(60_000)];
  const error = await pair.a.sendmsg(pieces, [], 0, pair.to).catch((reason: unknown) => reason);
  assert.ok(error instanceof SocketError);
  assert.equal(error.code, "EMSGSIZE");
  assert.deepEqual(error.remote, pair.to);
});

test("sendmsg() rejects with EINVAL when a control message is too short for what it is", async () => {
  using pair = udpPair();
  assert.equal(await codeOf(pair.a.sendmsg(["x"], [[0, 2, Buffer.alloc(1)]], 0, pair.to)), "EINVAL");
});

test("sendmsg() takes 1024 pieces, and refuses more before the call", async () => {
  using pair = udpPair();
  const pieces = Array.from({ length: 1024 }, (_, index) => String(index % 10));
  assert.equal(await pair.a.sendmsg(pieces, [], 0, pair.to), 1024);
  assert.equal((await pair.b.recvmsg(2048))[0].toString(), pieces.join(""));
  const refusal = { name: "RangeError", code: "ERR_OUT_OF_RANGE", message: /^buffers\.length/ };
  await assert.rejects(pair.a.sendmsg([...pieces, "x"], [], 0, pair.to), refusal);
  await assert.rejects(
    pair.b.recvmsg_into(pieces.map(() => Buffer.alloc(1)).concat(Buffer.alloc(1))),
    refusal,
  );
});

test("recvmsg_into() has no room in a buffer that was given away while it waited", async () => {
  using pair = udpPair();
  const [gone, kept] = [new Uint8Array(100), Buffer.alloc(2)];
  const waiting = pair.b.recvmsg_into([gone, kept]);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  await pair.a.sendto("0123", pair.to);
  const [nbytes, , flags] = await waiting;
  assert.equal(nbytes, 2);
  assert.equal(flags, MSG_TRUNC);
  assert.equal(kept.toString(), "01");
});

test("sendmsg() reads its control data at the call", async () => {
  const [first, second] = socketpair(AF_UNIX, SOCK_DGRAM);
  using a = first;
  using b = second;
  // Until the other end has read, nothing more goes: the second message waits with its control data.
  let sent = 0;
  while ((await codeOfOr(a.sendmsg(["x"], [], MSG_DONTWAIT))) === undefined) sent++;
  const rights = Int32Array.of(0);
  const waiting = a.sendmsg(["late"], [[1, 1, rights]]);
  rights[0] = -1;
  while (sent-- > 0) await b.recv(1);
  assert.equal(await waiting, 4);
});

async function codeOfOr(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) => (error as SocketError).code,
  );
}

test("recvmsg(), recvmsg_into() and sendmsg() reject arguments of the wrong kind by their names", async () => {
  using pair = udpPair();
  const sock = pair.a;
  const refused = async (promise: Promise<unknown>, code: string, name: string): Promise<void> =>
    assert.rejects(promise, (error: Error & { code: string }) => {
      assert.equal(error.code, code);
      assert.match(error.message, new RegExp(`^${name}`));
      return true;
    });
  const wrong = (value: unknown): never => value as never;
  await refused(sock.recvmsg(-1), "ERR_OUT_OF_RANGE", "bufsize");
  await refused(sock.recvmsg(1, -1), "ERR_OUT_OF_RANGE", "ancbufsize");
  await refused(sock.recvmsg(1, 2 ** 31), "ERR_OUT_OF_RANGE", "ancbufsize");
  await refused(sock.recvmsg(1, 0, wrong("x")), "ERR_INVALID_ARG_TYPE", "flags");
  await refused(sock.recvmsg_into(wrong(5)), "ERR_INVALID_ARG_TYPE", "buffers");
  await refused(sock.recvmsg_into(wrong(["x"])), "ERR_INVALID_ARG_TYPE", "buffers");
  await refused(sock.sendmsg(wrong("text")), "ERR_INVALID_ARG_TYPE", "buffers");
  await refused(sock.sendmsg(wrong(Buffer.alloc(1))), "ERR_INVALID_ARG_TYPE", "buffers");
  await refused(sock.sendmsg([wrong(5)]), "ERR_INVALID_ARG_TYPE", "buffers");
  await refused(sock.sendmsg(["x"], wrong(5)), "ERR_INVALID_ARG_TYPE", "ancdata");
  await refused(sock.sendmsg(["x"], [], 0.5), "ERR_OUT_OF_RANGE", "flags");
  await refused(sock.sendmsg(["x"], [], 0, ["127.0.0.1", -1]), "ERR_OUT_OF_RANGE", "port");
});
