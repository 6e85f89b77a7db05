// Calls that block, for blocked.test.ts.

import { AF_UNIX, SOCK_DGRAM, SOCK_STREAM, create_server, socket, socketpair } from "berkeley/sync";
import type { Socket } from "berkeley/sync";
import { runBlocked } from "../support/blocked-program.ts";

const listener = (): Socket => create_server(["127.0.0.1", 0]);
const within = (seconds: number, sock: Socket): Socket => {
  sock.settimeout(seconds);
  return sock;
};
const timedOut = (call: () => unknown): void => {
  try {
    call();
  } catch (error) {
    if ((error as Error).name !== "TimeoutError") throw error;
  }
};

/** A listener whose queue is full. */
function full(): string {
  const server = socket(AF_UNIX, SOCK_STREAM);
  const path = `\0berkeley-full-${process.pid}`;
  server.bind(path);
  server.listen(0);
  const clients: Socket[] = [];
  for (let code = 0; code === 0; ) {
    const client = socket(AF_UNIX, SOCK_STREAM);
    client.setblocking(false);
    code = client.connect_ex(path);
    clients.push(client);
  }
  kept.push(server, ...clients);
  return path;
}

// Nobody may close them meanwhile.
const kept: unknown[] = [];
const pair = (type?: number): Socket => {
  const both = socketpair(AF_UNIX, type);
  kept.push(both);
  return both[0];
};

runBlocked(
  {
    "accept()": () => listener().accept(),
    "for of a listener": () => [...listener()],
    "recv()": () => pair().recv(1),
    "recv_into()": () => pair().recv_into(Buffer.alloc(1)),
    "recvfrom()": () => pair(SOCK_DGRAM).recvfrom(1),
    "recvmsg()": () => pair(SOCK_DGRAM).recvmsg(1),
    "sendall()": () => pair().sendall(Buffer.alloc(10_000_000)),
    "connect()": () => socket(AF_UNIX, SOCK_STREAM).connect(full()),
    "makefile().readline()": () => pair().makefile().readline(),
    "recv() within 0.3 s": () => timedOut(() => within(0.3, pair()).recv(1)),
    "accept() within 0.3 s": () => timedOut(() => within(0.3, listener()).accept()),
    "sendall() within 0.3 s": () => timedOut(() => within(0.3, pair()).sendall(Buffer.alloc(10_000_000))),
    "connect() within 0.3 s": () => timedOut(() => within(0.3, socket(AF_UNIX, SOCK_STREAM)).connect(full())),
  },
  import.meta.url,
);
