// Urgent data: MSG_OOB both ways, the mark, SO_OOBINLINE; over TCP with CPython and over Unix sockets.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import * as b from "berkeley";
import type { Socket } from "berkeley";
import * as sync from "berkeley/sync";
import { receiveToEnd } from "../support/berkeley-tcp.ts";
import { codeOf, stillWaits, tcpPair, thrown } from "../support/pair.ts";
import { portOf, python, PYTHON } from "../support/python.ts";

/** The urgent byte, as soon as it has come: it is never waited for. */
async function urgent(sock: Socket): Promise<string> {
  for (;;) {
    try {
      return (await sock.recv(1, b.MSG_OOB)).toString();
    } catch (error) {
      // EINVAL: nothing urgent has been heard of; EAGAIN: heard of, and on its way.
      if (!["EINVAL", "EAGAIN"].includes((error as b.SocketError).code)) throw error;
      await turn();
    }
  }
}

/** Waits until so many bytes have arrived. */
async function arrived(sock: Socket, bytes: number): Promise<void> {
  while (sock.siocinq() < bytes) await turn();
}

async function unixPair(): Promise<{ a: Socket; b: Socket } & Disposable> {
  const [first, second] = b.socketpair();
  return {
    a: first,
    b: second,
    [Symbol.dispose]() {
      first.close();
      second.close();
    },
  };
}

/** Why this kernel has no urgent data on Unix sockets (Linux 5.15 has). */
async function noUnixUrgent(): Promise<string | false> {
  using pair = await unixPair();
  const code = await pair.a.send("!", b.MSG_OOB).then(
    () => false as const,
    (error: unknown) => (error as Error).message,
  );
  return code;
}

for (const [kind, make, skip] of [
  ["TCP", tcpPair, false],
  ["a Unix stream", unixPair, await noUnixUrgent()],
] as const) {
  test(`sockatmark() tells where the urgent byte was, and recv() stops there (${kind})`, {
    skip,
  }, async () => {
    using pair = await make();
    const { a, b: peer } = pair;
    assert.equal(peer.sockatmark(), false);
    await a.send("before");
    await a.send("!", b.MSG_OOB);
    await a.send("after");
    assert.equal(await urgent(peer), "!");
    assert.equal(peer.sockatmark(), false);
    let text = "";
    while (!peer.sockatmark()) text += (await peer.recv(100)).toString();
    assert.equal(text, "before");
    assert.equal((await peer.recv(100)).toString(), "after");
    assert.equal(peer.sockatmark(), false);
  });

  test(`with SO_OOBINLINE the urgent byte stays in its place, and sockatmark() shows it (${kind})`, {
    skip,
  }, async () => {
    using pair = await make();
    const { a, b: peer } = pair;
    peer.options.SO_OOBINLINE = true;
    await a.send("before");
    await a.send("!", b.MSG_OOB);
    await a.send("after");
    await arrived(peer, 12);
    assert.equal(await codeOf(peer.recv(1, b.MSG_OOB)), "EINVAL");
    let text = "";
    while (!peer.sockatmark()) text += (await peer.recv(100)).toString();
    assert.equal(text, "before");
    assert.equal((await peer.recv(1)).toString(), "!");
    assert.equal(peer.sockatmark(), false);
    assert.equal((await peer.recv(100)).toString(), "after");
  });
}

test("recv() with MSG_OOB says that there is nothing urgent, at once", async () => {
  using pair = await tcpPair();
  assert.equal(await codeOf(pair.a.recv(1, b.MSG_OOB)), "EINVAL");
  const reading = pair.a.recv(10);
  assert.equal(await codeOf(pair.a.recv(1, b.MSG_OOB)), "EINVAL");
  await stillWaits(reading);
  await pair.b.send("x");
  assert.equal((await reading).toString(), "x");
});

test("CPython's urgent byte is heard, with the mark, and it hears ours", { skip: PYTHON.skip }, async () => {
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, _ = server.accept()
conn.sendall(b"before")
conn.send(b"!", MSG_OOB)
conn.sendall(b"after")
conn.shutdown(SHUT_WR)
import select
select.select([], [], [conn])
say("urgent", conn.recv(1, MSG_OOB).decode(), read_to_end(conn).decode())`);
  using sock = await b.create_connection(["127.0.0.1", await portOf(peer)]);
  assert.equal(await urgent(sock), "!");
  let text = "";
  while (!sock.sockatmark()) text += (await sock.recv(100)).toString();
  assert.equal(text, "before");
  assert.equal((await receiveToEnd(sock)).toString(), "after");
  await sock.send("one");
  await sock.send("?", b.MSG_OOB);
  await sock.send("two");
  sock.shutdown(b.SHUT_WR);
  assert.equal((await peer.line(/^urgent (.*)$/m))[1], "? onetwo");
});

test("sockatmark() and siocinq() of berkeley/sync are the same", () => {
  const [a, peer] = sync.socketpair();
  using first = a;
  using second = peer;
  assert.deepEqual([second.sockatmark(), second.siocinq()], [false, 0]);
  first.send("four");
  assert.equal(second.siocinq(), 4);
});

test("siocinq(), siocoutq() and siocoutqnsd() count bytes", async () => {
  using pair = await tcpPair();
  const { a, b: peer } = pair;
  await a.send("12345");
  await arrived(peer, 5);
  assert.equal(peer.siocinq(), 5);
  assert.equal((await peer.recv(3)).length, 3);
  assert.equal(peer.siocinq(), 2);
  a.options.TCP_CORK = true;
  await a.send("waits");
  assert.equal(a.siocoutq(), 5);
  assert.equal(a.siocoutqnsd(), 5);
  a.options.TCP_CORK = false;
  await arrived(peer, 7);
  assert.equal(a.siocoutqnsd(), 0);
  while (a.siocoutq() > 0) await turn();
});

test("siocinq() of a datagram socket is the length of the next datagram", async () => {
  using receiver = b.socket(b.AF_INET, b.SOCK_DGRAM);
  receiver.bind(["127.0.0.1", 0]);
  using sender = b.socket(b.AF_INET, b.SOCK_DGRAM);
  assert.equal(receiver.siocinq(), 0);
  await sender.sendto("first", receiver.getsockname());
  await sender.sendto("second!", receiver.getsockname());
  assert.equal(receiver.siocinq(), 5);
  await receiver.recv(100);
  assert.equal(receiver.siocinq(), 7);
});

test("sockatmark() and the counts say what does not have them, and EBADF when closed", async () => {
  using listener = b.create_server(["127.0.0.1", 0]);
  assert.equal(thrown(() => listener.siocinq()).code, "EINVAL");
  using datagrams = b.socket(b.AF_INET, b.SOCK_DGRAM);
  assert.match(thrown(() => datagrams.sockatmark()).code, /^(ENOTTY|EINVAL|EOPNOTSUPP)$/);
  assert.match(thrown(() => datagrams.siocoutqnsd()).code, /^(ENOTTY|EINVAL|EOPNOTSUPP)$/);
  const closed = b.socket();
  closed.close();
  for (const call of ["sockatmark", "siocinq", "siocoutq", "siocoutqnsd"] as const)
    assert.equal(thrown(() => closed[call]()).code, "EBADF");
});
