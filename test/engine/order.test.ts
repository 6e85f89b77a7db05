// Reads on one descriptor settle in the order in which they were asked; so do writes. Two sendall never interleave.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { MSG_DONTWAIT, create_server, socket } from "berkeley";
import { receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import { NARROW, TOO_MUCH, codeOf, pattern, rejection, settling, tcpPair } from "../support/pair.ts";

const MANY = 100;

test("recv()s that wait on one socket get the bytes in the order of their calls, and settle in it", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const bytes = pattern(MANY);
  const reads = Array.from({ length: MANY }, () => a.recv(1));
  const { order, all } = settling(reads);
  for (let at = 0; at < MANY; at += 10) {
    await b.sendall(bytes.subarray(at, at + 10));
    await turn();
  }
  assert.ok(Buffer.concat(await Promise.all(reads)).equals(bytes));
  await all;
  assert.deepEqual(order, [...order.keys()]);
});

test("recv() and recv_into() share one queue", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const into = Buffer.alloc(2);
  const reads = [a.recv(2), a.recv_into(into), a.recv(2)] as const;
  await b.sendall("112233");
  const [first, count, last] = await Promise.all(reads);
  assert.deepEqual([first.toString(), count, into.toString(), last.toString()], ["11", 2, "22", "33"]);
});

test("recv() that could be served at once waits behind those that were asked before", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const first = a.recv(1);
  await b.sendall("12"); // there before the second is asked, and the first not served yet
  const second = a.recv(1);
  assert.deepEqual([(await first).toString(), (await second).toString()], ["1", "2"]);
});

test("recv()s keep their order when one in the middle of the queue is aborted or times out", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const controller = new AbortController();
  const reads = Array.from({ length: 9 }, (_, index) => {
    a.settimeout(index % 3 === 2 ? 0.001 : null);
    return a.recv(1, 0, index % 3 === 1 ? { signal: controller.signal } : undefined);
  });
  const gone = [1, 2, 4, 5, 7, 8].map((index) => rejection(reads[index] as Promise<Buffer>));
  controller.abort();
  await Promise.all(gone);
  await b.sendall("abc");
  const stayed = await Promise.all([reads[0], reads[3], reads[6]]);
  assert.deepEqual(
    stayed.map((bytes) => String(bytes)),
    ["a", "b", "c"],
  );
});

test("sendall()s of 1 MiB at the same time never interleave", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const messages = [1, 2, 3].map((seed) => pattern(TOO_MUCH, seed * 80));
  const { order, all } = settling(messages.map((bytes) => a.sendall(bytes)));
  for (const message of messages) assert.ok((await receiveExactly(b, TOO_MUCH)).equals(message));
  await all;
  assert.deepEqual(order, [0, 1, 2]);
});

test("sendall() and send() in one queue go out in the order of their calls", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const writes: Promise<unknown>[] = [a.sendall(pattern(TOO_MUCH))];
  for (let at = 0; at < MANY; at++)
    writes.push(at % 2 === 0 ? a.sendall(Buffer.from([at])) : a.send(Buffer.from([at])));
  const received = receiveToEnd(b);
  const { order, all } = settling(writes);
  await Promise.all(writes);
  await all;
  a.close();
  const tail = (await received).subarray(TOO_MUCH);
  assert.deepEqual([...tail], [...tail.keys()]);
  assert.equal(tail.length, MANY);
  assert.deepEqual(order, [...order.keys()]);
});

test("sendall() that waits goes out whole when the one ahead of it is aborted", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const controller = new AbortController();
  const progress = { bytes: 0 };
  const [first, second] = [pattern(TOO_MUCH, 1), pattern(TOO_MUCH, 90)];
  const aborted = rejection(a.sendall(first, 0, { signal: controller.signal, progress }));
  const goes = a.sendall(second);
  await receiveExactly(b, 10);
  controller.abort();
  await aborted;
  const went = progress.bytes;
  assert.ok((await receiveExactly(b, went - 10)).equals(first.subarray(10, went)));
  assert.ok((await receiveExactly(b, TOO_MUCH)).equals(second));
  await goes;
});

test("reads do not wait for writes, nor writes for reads", async () => {
  using pair = await tcpPair(NARROW);
  const { a, b } = pair;
  const writing = a.sendall(pattern(TOO_MUCH)); // nobody reads it yet
  const reading = a.recv(4);
  await b.sendall("read");
  assert.equal((await reading).toString(), "read");
  await receiveExactly(b, TOO_MUCH);
  await writing;
});

/** More calls than one turn of the loop makes: those in non-blocking mode that are too many wait for the next. */
const MORE_THAN_A_TURN = 3000;

test("sendall() does not pass send()s in non-blocking mode that wait for the next turn, nor do they settle behind it", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const writes: Promise<unknown>[] = [];
  for (let at = 0; at < MORE_THAN_A_TURN; at++) writes.push(a.send(Buffer.from([at & 255]), MSG_DONTWAIT));
  writes.push(a.sendall("!"));
  const { order, all } = settling(writes);
  const received = await receiveExactly(b, MORE_THAN_A_TURN + 1);
  assert.equal(received.indexOf("!", MORE_THAN_A_TURN), MORE_THAN_A_TURN);
  assert.deepEqual(
    [...received.subarray(0, -1)],
    writes.slice(0, -1).map((_, at) => at & 255),
  );
  await all;
  assert.deepEqual(order, [...order.keys()]);
});

test("recv() does not pass recv()s in non-blocking mode that wait for the next turn", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  await b.sendall(pattern(MORE_THAN_A_TURN + 1));
  const reads = Array.from({ length: MORE_THAN_A_TURN }, () => a.recv(1, MSG_DONTWAIT));
  reads.push(a.recv(1));
  const { order, all } = settling(reads);
  const bytes = Buffer.concat(await Promise.all(reads));
  assert.ok(bytes.equals(pattern(MORE_THAN_A_TURN + 1)));
  await all;
  assert.deepEqual(order, [...order.keys()]);
});

test("accept()s that wait get the connections in the order in which they came", async () => {
  using server = create_server(["127.0.0.1", 0]);
  const accepts = Array.from({ length: 10 }, () => server.accept());
  const clients = Array.from({ length: 10 }, () => socket());
  const ports: number[] = [];
  for (const client of clients) {
    await client.connect(server.getsockname());
    ports.push(client.getsockname()[1]);
  }
  const accepted = await Promise.all(accepts);
  assert.deepEqual(
    accepted.map(([, address]) => address[1]),
    ports,
  );
  for (const end of [...clients, ...accepted.map(([conn]) => conn)]) end.close();
});

test("connect() while another one waits is refused with EISCONN once that one has connected", async () => {
  using server = create_server(["127.0.0.1", 0]);
  using client = socket();
  const first = client.connect(server.getsockname());
  const second = codeOf(client.connect(server.getsockname()));
  await first;
  assert.equal(await second, "EISCONN");
});

test("send()s of a non-blocking socket go in the order of their calls, also when the turn's work is spent between them", async () => {
  using pair = await tcpPair();
  using other = await tcpPair();
  pair.a.settimeout(0);
  let asked = "";
  const send = (text: string): Promise<number> => {
    asked += text;
    return pair.a.send(text);
  };
  const second = other.b.recv(1).then(() => send("B"));
  // In a timer's turn, so that the event comes after it and before the next turn.
  await new Promise<void>((resolve, reject) => {
    setTimeout(() => {
      const waking = other.a.send("!");
      const spending = Array.from({ length: 1100 }, () => other.b.send("", MSG_DONTWAIT));
      const sending = [waking, ...spending, send("A"), second];
      Promise.all(sending).then(() => resolve(), reject);
    }, 1);
  });
  assert.equal(asked, "AB");
  assert.equal((await receiveExactly(pair.b, 2)).toString(), asked);
});
