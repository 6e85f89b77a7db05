// Every stream there is against the promises of ByteStream.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer, connect as netConnect } from "node:net";
import type { Server, Socket as NetSocket } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { socketpair } from "berkeley";
import {
  SocketStream,
  connectTcp,
  connectUnix,
  fromDuplex,
  listenTcp,
  listenUnix,
  memoryPair,
} from "berkeley/stream";
import type { SocketListener } from "berkeley/stream";
import { checkByteStream } from "berkeley/testing";
import type { StreamPair } from "berkeley/testing";

const folder = mkdtempSync(join(tmpdir(), "berkeley-stream-"));
const tcp4 = await listenTcp("127.0.0.1");
const tcp6 = await listenTcp("::1");
const unix = await listenUnix(join(folder, "socket"));
const node: Server = createServer({ allowHalfOpen: false }).listen(0, "127.0.0.1");
await once(node, "listening");
const nodePort = (node.address() as { port: number }).port;

after(() => {
  for (const listener of [tcp4, tcp6, unix]) listener.close();
  node.close();
  rmSync(folder, { recursive: true });
});

async function tcpPair(listener: SocketListener): Promise<StreamPair> {
  const [host, port] = listener.localAddress as [string, number];
  const [accepted, connected] = await Promise.all([listener.accept(), connectTcp(host, port)]);
  return [accepted, connected];
}

async function duplexPair(): Promise<StreamPair> {
  const [accepting, peer] = await Promise.all([once(node, "connection"), connectTcp("127.0.0.1", nodePort)]);
  return [fromDuplex(accepting[0] as NetSocket), peer];
}

async function twoDuplexes(): Promise<StreamPair> {
  const connecting = netConnect(nodePort, "127.0.0.1");
  const [[accepted]] = (await Promise.all([once(node, "connection"), once(connecting, "connect")])) as [
    [NetSocket],
    unknown,
  ];
  return [fromDuplex(connecting), fromDuplex(accepted)];
}

const pairs: Readonly<Record<string, () => StreamPair | Promise<StreamPair>>> = {
  "SocketStream over TCP/IPv4": () => tcpPair(tcp4),
  "SocketStream over TCP/IPv6": () => tcpPair(tcp6),
  "SocketStream over a Unix socket": () => Promise.all([connectUnix(join(folder, "socket")), unix.accept()]),
  "SocketStream over socketpair()": () => {
    const [a, b] = socketpair();
    return [new SocketStream(a), new SocketStream(b)];
  },
  memoryPair: () => memoryPair(),
  "memoryPair of 100 bytes": () => memoryPair({ bytesMax: 100 }),
  "fromDuplex(net.Socket) with a SocketStream": duplexPair,
  "a SocketStream with fromDuplex(net.Socket)": async () => (await duplexPair()).toReversed() as never,
  "fromDuplex(net.Socket) with its like": twoDuplexes,
};

for (const [kind, makePair] of Object.entries(pairs)) {
  const options = kind.includes("100 bytes") ? { transferBytes: 200_000 } : {};
  for (const { name, run } of checkByteStream(makePair, options)) test(`${kind}: ${name}`, run);
}
