// A worker that has descriptors in the queues of its sockets, waits for more, and is then ended by worker.test.ts.

import { openSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { AF_UNIX, SOCK_DGRAM, SOCK_STREAM, recv_fds, send_fds, socket, socketpair } from "berkeley";

const file = openSync("/dev/null", "r");
for (const type of [SOCK_STREAM, SOCK_DGRAM]) {
  // Queued, and nobody receives them.
  const [a, b] = socketpair(AF_UNIX, type);
  for (let count = 0; count < 5; count++)
    await send_fds(
      a,
      ["x"],
      Array.from({ length: 50 }, () => file),
    );
  // One of them was received and is waited on by a socket of its own; one waits for descriptors.
  const [left, right] = socketpair(AF_UNIX, type);
  await send_fds(a, ["x"], [right.fileno()]);
  for (let count = 0; count < 5; count++) {
    const [, fds] = await recv_fds(b, 1, 0);
    if (fds.length > 0) throw new Error("descriptors that nobody asked for");
  }
  const [, [fd]] = await recv_fds(b, 1, 1);
  const passed = socket(undefined, undefined, undefined, { fileno: fd });
  void passed.recv(1);
  void recv_fds(left, 1, 10);
  await send_fds(a, ["x"], [file, file]);
}
parentPort?.postMessage("waiting", []);
