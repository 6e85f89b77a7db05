// Wake-ups: "writable", which the kernel tells of datagram sockets each time that it is done with something sent, wakes
// the loop only while somebody waits to write.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { AF_UNIX, MSG_DONTWAIT, SOCK_DGRAM, socketpair } from "berkeley";
import { currentEngine } from "#dist/engine/current.js";

test("send() that had to wait once leaves no wake-up for each later one (Unix datagram)", async () => {
  const { backend } = currentEngine();
  const take = backend.take.bind(backend);
  let wakes = 0;
  backend.take = (events): number => {
    wakes++;
    return take(events);
  };
  const [first, second] = socketpair(AF_UNIX, SOCK_DGRAM);
  using a = first;
  using b = second;
  const sends = Array.from({ length: 1000 }, (_, number) => a.send(String(number)));
  for (let heard = 0; heard < 1000; heard++) await b.recv(8);
  await Promise.all(sends);
  wakes = 0;
  for (let round = 0; round < 200; round++) {
    await a.send("x", MSG_DONTWAIT);
    assert.equal((await b.recv(1, MSG_DONTWAIT)).toString(), "x");
    await nextTurn();
    await nextTurn();
  }
  backend.take = take;
  assert.ok(wakes <= 5, `${wakes} wake-ups of 200 datagrams for which nobody waited`);
});
