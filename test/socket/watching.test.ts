// Events of sockets through node:diagnostics_channel: what is told, in which order, of which socket; and that nothing is
// changed where nobody listens.

import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { test } from "node:test";
import {
  AF_INET,
  AF_UNIX,
  IPPROTO_IP,
  IP_TTL,
  MSG_PEEK,
  SOCK_DGRAM,
  SOCK_STREAM,
  create_connection,
  create_server,
  fromfd,
  socket,
  socketpair,
} from "berkeley";
import type { SocketEvents, WatchedSocket } from "berkeley";
import * as blocking from "berkeley/sync";
import { currentEngine } from "#dist/engine/current.js";
import { native } from "#dist/native.js";
import { deadAddress, pattern, rejection, reset, tcpPair } from "../support/pair.ts";
import { udpPair } from "../support/udp.ts";

type Told = { [N in keyof SocketEvents]: readonly [N, SocketEvents[N]] }[keyof SocketEvents];

const ALL: readonly (keyof SocketEvents)[] = [
  "berkeley:open",
  "berkeley:bind",
  "berkeley:listen",
  "berkeley:accept",
  "berkeley:connect",
  "berkeley:bytes",
  "berkeley:timeout",
  "berkeley:error",
  "berkeley:close",
];

interface Watching extends Disposable {
  readonly told: Told[];
  /** What was told of a socket, in short, since the last time. */
  of(which: { fileno(): number } | number): string[];
}

/** Subscribes until disposed. */
function watch(names: readonly (keyof SocketEvents)[] = ALL): Watching {
  const told: Told[] = [];
  const listen = (message: unknown, name: string | symbol): number =>
    told.push([name, message] as unknown as Told);
  for (const name of names) subscribe(name, listen);
  return {
    told,
    of(which) {
      const fd = typeof which === "number" ? which : which.fileno();
      const mine = told.filter(([, event]) => event.socket?.fd === fd);
      for (const one of mine) told.splice(told.indexOf(one), 1);
      return mine.map(brief);
    },
    [Symbol.dispose]() {
      for (const name of names) unsubscribe(name, listen);
      socket().close(); // at a socket's making it is looked whether anybody listens
    },
  };
}

function brief([name, event]: Told): string {
  const words: unknown[] = [name.replace("berkeley:", "")];
  if ("bytes" in event) words.push(event.direction, event.bytes);
  if ("syscall" in event) words.push(event.syscall);
  if ("code" in event) words.push(event.code);
  if ("backlog" in event) words.push(event.backlog);
  return words.join(" ");
}

const calls = (): object => currentEngine().backend.calls;

test("a conversation over TCP is told from the first socket to the last close", async () => {
  using watching = watch();
  const server = create_server(["127.0.0.1", 0], { backlog: 7 });
  const client = socket();
  const [[conn]] = await Promise.all([server.accept(), client.connect(server.getsockname())]);
  await client.sendall("hello");
  assert.equal((await conn.recv(3)).length, 3);
  assert.equal((await conn.recv(100, MSG_PEEK)).length, 2);
  assert.equal((await conn.recv(100)).length, 2);
  await conn.sendall("ok");
  await client.recv(100);
  const [of, to] = [client.getsockname(), server.getsockname()];
  const sockets = new Map<number, WatchedSocket>();
  for (const [name, event] of watching.told)
    if (name === "berkeley:open") sockets.set(event.socket.fd, event.socket);
  const [watchedServer, watchedClient, watchedConn] = [server, client, conn].map((one) =>
    sockets.get(one.fileno()),
  );
  assert.deepEqual([watchedServer?.local, watchedServer?.remote], [to, undefined]);
  assert.deepEqual([watchedClient?.local, watchedClient?.remote], [of, to]);
  assert.deepEqual([watchedConn?.local, watchedConn?.remote], [to, of]);
  for (const one of sockets.values()) {
    assert.deepEqual([one.family, one.type], [AF_INET, SOCK_STREAM]);
    assert.ok((one.openedAt ?? 0) > 0);
  }
  assert.equal(new Set([...sockets.values()].map(({ id }) => id)).size, 3);
  const accepted = watching.told.find(([name]) => name === "berkeley:accept")?.[1] as
    | SocketEvents["berkeley:accept"]
    | undefined;
  assert.deepEqual([accepted?.socket, accepted?.listener], [watchedConn, watchedServer]);
  const fds = [server, client, conn].map((one) => one.fileno()) as [number, number, number];
  for (const one of [client, conn, server]) one.close();
  assert.deepEqual(watching.of(fds[0]), ["open", "bind", "listen 7", "close"]);
  assert.deepEqual(watching.of(fds[1]), ["open", "connect", "bytes sent 5", "bytes received 2", "close"]);
  assert.deepEqual(watching.of(fds[2]), [
    "open",
    "accept",
    "bytes received 3",
    "bytes received 2",
    "bytes sent 2",
    "close",
  ]);
  assert.deepEqual(watching.told, []);
});

test("failures are told with their call and code, and waiting is none", async () => {
  using watching = watch();
  using refused = socket();
  assert.equal((await rejection(refused.connect(deadAddress()))).code, "ECONNREFUSED");
  assert.deepEqual(watching.of(refused), ["open", "error connect ECONNREFUSED"]);
  using server = create_server(["127.0.0.1", 0]);
  using client = socket();
  await client.connect(server.getsockname());
  const [conn] = await server.accept();
  const waiting = client.recv(1);
  reset(conn);
  assert.equal((await rejection(waiting)).code, "ECONNRESET");
  assert.deepEqual(watching.of(client), ["open", "connect", "error recv ECONNRESET"]);
  assert.throws(() => socket(AF_INET, SOCK_DGRAM, 6), { code: "EPROTONOSUPPORT" });
  const [, event] = watching.told.find(([name]) => name === "berkeley:error") as Told;
  assert.deepEqual([event.socket, "code" in event && event.code], [undefined, "EPROTONOSUPPORT"]);
});

test("a timeout is told", async () => {
  using watching = watch(["berkeley:timeout"]);
  const [a, b] = socketpair();
  a.settimeout(0.01);
  assert.equal((await rejection(a.recv(1))).code, "ETIMEDOUT");
  assert.deepEqual(watching.of(a), ["timeout recv"]);
  for (const end of [a, b]) end.close();
});

test("datagrams, pairs, copies and descriptors that come and go are told", async () => {
  using watching = watch();
  const [a, b] = socketpair(AF_UNIX, SOCK_DGRAM);
  await a.sendmsg([Buffer.from("hel"), Buffer.from("lo")]);
  const [, , , sender] = await b.recvmsg(100);
  assert.equal(sender, "");
  assert.deepEqual(watching.of(a), ["open", "bytes sent 5"]);
  assert.deepEqual(watching.of(b), ["open", "bytes received 5"]);
  const copy = a.dup();
  const another = fromfd(a.fileno(), AF_UNIX, SOCK_DGRAM);
  for (const one of [copy, another]) assert.deepEqual(watching.of(one), ["open"]);
  const fd = copy.detach();
  assert.deepEqual(watching.of(fd), ["close"]);
  const adopted = socket(undefined, undefined, undefined, { fileno: fd });
  assert.deepEqual(watching.of(adopted), ["open"]);
  for (const one of [a, b, another, adopted]) one.close();
  watching.told.length = 0;
  using udp = socket(AF_INET, SOCK_DGRAM);
  udp.bind(["127.0.0.1", 0]);
  await udp.sendto("x", udp.getsockname());
  await udp.recvfrom(10);
  assert.deepEqual(watching.of(udp), ["open", "bind", "bytes sent 1", "bytes received 1"]);
});

test("who subscribes later hears of what is open: an accept that waits, bytes that come", async () => {
  using server = create_server(["127.0.0.1", 0]);
  const accepting = server.accept();
  using watching = watch();
  using client = await create_connection(server.getsockname() as [string, number]);
  const [conn] = await accepting;
  const events = watching.of(conn);
  assert.deepEqual(events, ["open", "accept"]);
  await conn.sendall("x");
  const [, { socket: seen }] = watching.told.find(([name]) => name === "berkeley:bytes") as Told;
  assert.deepEqual([seen?.remote, seen?.family], [client.getsockname(), AF_INET]);
  conn.close();
});

test("sockets that block are told likewise", () => {
  using watching = watch();
  const [a, b] = blocking.socketpair();
  a.sendall("hello");
  b.recv(10);
  const fds = [a, b].map((end) => end.fileno()) as [number, number];
  for (const end of [a, b]) end.close();
  assert.deepEqual(watching.of(fds[0]), ["open", "bytes sent 5", "close"]);
  assert.deepEqual(watching.of(fds[1]), ["open", "bytes received 5", "close"]);
});

test("the calls are the addon's own where nobody listens, before and after somebody did", async () => {
  assert.equal(calls(), native);
  {
    using _ = watch();
    socket().close();
    assert.notEqual(calls(), native);
  }
  assert.equal(calls(), native);
});

test("recv and send stay the addon's own for who wants to hear of other things", () => {
  using watching = watch(["berkeley:open", "berkeley:close"]);
  const one = socket();
  const fd = one.fileno();
  const now = calls() as Readonly<Record<string, unknown>>;
  const own = native as unknown as Readonly<Record<string, unknown>>;
  assert.deepEqual([now["recv"], now["send"]], [own["recv"], own["send"]]);
  assert.notEqual(now["close"], own["close"]);
  one.close();
  assert.deepEqual(watching.of(fd), ["open", "close"]);
});

test("a subscriber's own calls of sockets leave what is received as it came", async () => {
  using tcp = await tcpPair();
  using udp = udpPair();
  using other = udpPair();
  using server = create_server(["127.0.0.1", 0]);
  udp.b.options.IP_RECVTTL = true;
  other.b.options.IP_RECVTOS = true;
  const noise = Buffer.alloc(200, "noise");
  let told = 0;
  let busy = false;
  const listen = (): void => {
    if (busy) return;
    busy = true;
    told++;
    for (let times = 0; times < 2; times++)
      for (const call of [other.b.recv(300), other.b.recvfrom(300), other.b.recvmsg(300, 100)])
        call.catch(() => undefined);
    other.a.getsockname();
    busy = false;
  };
  const beside = async <T>(receive: () => Promise<T>): Promise<T> => {
    for (let times = 0; times < 6; times++) await other.a.sendto(noise, other.to);
    const before = told;
    for (const name of ["berkeley:bytes", "berkeley:accept"]) subscribe(name, listen);
    socket().close(); // at a socket's making it is looked whether anybody listens
    const received = await receive();
    for (const name of ["berkeley:bytes", "berkeley:accept"]) unsubscribe(name, listen);
    assert.equal(told, before + 1);
    return received;
  };
  const long = pattern(8192);
  for (const data of [Buffer.from("small"), long, long]) {
    await tcp.a.sendall(data);
    assert.deepEqual(await beside(() => tcp.b.recv(65_536)), data);
  }
  const receives: Record<string, () => Promise<unknown[]>> = {
    "recvfrom()": () => udp.b.recvfrom(100),
    "recvfrom() with options": () => udp.b.recvfrom(100, 0, {}),
  };
  for (const [name, call] of Object.entries(receives)) {
    await udp.a.sendto("datagram", udp.to);
    assert.deepEqual(await beside(call), [Buffer.from("datagram"), udp.from], name);
  }
  await udp.a.sendto("message", udp.to);
  const [data, ancdata, , address] = await beside(() => udp.b.recvmsg(100, 100));
  assert.deepEqual([data.toString(), address], ["message", udp.from]);
  assert.deepEqual(
    ancdata.map(([level, type]) => [level, type]),
    [[IPPROTO_IP, IP_TTL]],
  );
  using client = await create_connection(server.getsockname() as [string, number]);
  const [conn, from] = await beside(() => server.accept());
  assert.deepEqual([from, conn.getpeername()], [client.getsockname(), client.getsockname()]);
  conn.close();
});
