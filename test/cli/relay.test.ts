import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { test } from "node:test";
import { RELAYS_MAX } from "#dist/cli/relay-server.js";
import { berkeley, run, serving } from "../support/cli.ts";
import { folder } from "../support/files.ts";
import { nodeConnect, nodeListen, readToEnd, writeUntilHeldBack } from "../support/node-tcp.ts";
import { requirePeer } from "../support/peers.ts";
import { residentBytes, start, UNDER_SANITIZERS } from "../support/process.ts";
import { python, PYTHON } from "../support/python.ts";
import { udpAt } from "../support/udp.ts";

const socat = requirePeer("socat");
const ncat = requirePeer("ncat");
const ANY = "tcp://127.0.0.1:0";
/** More than the buffers of the kernel and of three processes hold. */
const FLOOD_BYTES = 256 << 20;
/** A process of Node is about 60 MiB; what it may hold of a flood is small. */
const RESIDENT_BYTES_MAX = UNDER_SANITIZERS ? Infinity : 160 << 20;

test("relay carries both directions whole, and passes each end on while the other goes on", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["relay", `listen:${ANY}`, `tcp://127.0.0.1:${server.port}`]);
  const client = await nodeConnect(await serving(child, "stderr"));
  const [up, down] = [randomBytes(3 << 20), randomBytes(2 << 20)];
  client.end(up);
  const peer = await server.accept();
  assert.ok((await readToEnd(peer)).equals(up));
  peer.end(down); // after the client's end
  assert.ok((await readToEnd(client)).equals(down));
});

test("relay passes the end of the other side on first, when it ends first", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["relay", `listen:${ANY}`, `tcp://127.0.0.1:${server.port}`]);
  const client = await nodeConnect(await serving(child, "stderr"));
  const peer = await server.accept();
  peer.end("last words");
  assert.equal((await readToEnd(client)).toString(), "last words");
  client.end("a late reply");
  assert.equal((await readToEnd(peer)).toString(), "a late reply");
});

test("relay takes no more from one side than the other takes", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["relay", `listen:${ANY}`, `tcp://127.0.0.1:${server.port}`]);
  const client = await nodeConnect(await serving(child, "stderr"));
  const peer = await server.accept();
  const sent = await writeUntilHeldBack(client, FLOOD_BYTES);
  assert.ok(sent < FLOOD_BYTES, "the client was held back");
  assert.ok(residentBytes(child.pid) < RESIDENT_BYTES_MAX);
  client.end();
  assert.equal((await readToEnd(peer)).length, sent);
});

test("relay serves many peers at once, each with a connection of its own", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["relay", `listen:${ANY}`, `tcp://127.0.0.1:${server.port}`]);
  const port = await serving(child, "stderr");
  const clients = await Promise.all(Array.from({ length: 50 }, () => nodeConnect(port)));
  const peers = await Promise.all(clients.map(() => server.accept()));
  for (const [index, client] of clients.entries()) client.end(`from ${index}`);
  const heard = await Promise.all(
    peers.map(async (peer) => {
      const text = (await readToEnd(peer)).toString();
      peer.end(`to ${text}`);
      return text;
    }),
  );
  assert.deepEqual(heard.toSorted(), clients.map((_, index) => `from ${index}`).toSorted());
  for (const [index, client] of clients.entries())
    assert.equal((await readToEnd(client)).toString(), `to from ${index}`);
});

test("relay leaves a peer beyond its limit in the kernel's queue until another has ended", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["relay", `listen:${ANY}`, `tcp://127.0.0.1:${server.port}`]);
  const port = await serving(child, "stderr");
  const clients = await Promise.all(Array.from({ length: RELAYS_MAX }, () => nodeConnect(port)));
  const peers = await Promise.all(clients.map(() => server.accept()));
  const late = await nodeConnect(port);
  late.write("at last");
  const peer = server.accept();
  let accepted = false;
  void peer.then(() => (accepted = true));
  // One of those that are in goes once round: the late one would have been in by then.
  clients[0]?.write("still");
  await Promise.race(peers.map((each) => once(each.resume(), "data")));
  assert.equal(accepted, false);
  for (const each of [...clients, ...peers]) each.destroy();
  assert.equal(String((await once((await peer).resume(), "data"))[0]), "at last");
  late.destroy();
});

test("relay says what went wrong with one peer, and serves the next", async () => {
  using dir = folder();
  const path = dir.path("s");
  await using child = berkeley(["relay", `listen:${ANY}`, `unix://${path}`]);
  const port = await serving(child, "stderr");
  const early = await nodeConnect(port);
  early.on("error", () => {});
  assert.equal((await readToEnd(early)).length, 0);
  await child.line(
    /^berkeley: 127\.0\.0\.1:\d+ failed: cannot connect to unix:\/\/\S+: no such path: nothing listens there\n/m,
    "stderr",
  );
  await using server = berkeley(["echo", `unix://${path}`]);
  await server.line(/listening/);
  const next = await nodeConnect(port);
  next.end("hello");
  assert.equal((await readToEnd(next)).toString(), "hello");
});

test("relay ends the connection to the other side when its peer resets", async () => {
  await using server = await nodeListen();
  await using child = berkeley(["relay", `listen:${ANY}`, `tcp://127.0.0.1:${server.port}`]);
  const client = await nodeConnect(await serving(child, "stderr"));
  const peer = await server.accept();
  client.write("x");
  await once(peer.resume(), "data");
  client.resetAndDestroy();
  await once(peer, "end");
  await child.line(/failed: splice ECONNRESET/, "stderr");
});

/** How many ends of pipes a process has open: splice(2) moves bytes through pipes. */
function pipeEnds(pid: number): number {
  const open = `/proc/${pid}/fd`;
  const targets = readdirSync(open).map((fd) => {
    try {
      return readlinkSync(`${open}/${fd}`);
    } catch {
      return ""; // closed meanwhile
    }
  });
  return targets.filter((target) => target.startsWith("pipe:")).length;
}

test("relay carries bytes between streams inside the kernel, and takes datagrams through memory", async () => {
  await using server = await nodeListen();
  const to = `tcp://127.0.0.1:${server.port}`;
  for (const [from, ends] of [
    [ANY, 4],
    ["udp://127.0.0.1:0", 0],
  ] as const) {
    await using child = berkeley(["relay", `listen:${from}`, to]);
    const port = await serving(child, "stderr");
    const before = pipeEnds(child.pid);
    using client = udpAt();
    if (ends === 0) await client.sendto("x", ["127.0.0.1", port]);
    else (await nodeConnect(port)).write("x");
    const peer = await server.accept();
    await once(peer.resume(), "data");
    assert.equal(pipeEnds(child.pid) - before, ends);
  }
});

/** Every kind listens once and is connected to once. */
const pairs: readonly (readonly [listen: string, to: string])[] = [
  ["tcp://127.0.0.1:0", "unix"],
  ["udp://127.0.0.1:0", "tcp"],
  ["unix://", "udp"],
  ["unix-dgram://", "unix-seqpacket"],
  ["unix-seqpacket://", "unix-dgram"],
  ["unix-dgram://", "udp"],
  ["udp://127.0.0.1:0", "unix-dgram"],
  ["abstract://", "abstract-dgram"],
  ["abstract-dgram://", "abstract-seqpacket"],
  ["abstract-seqpacket://", "abstract"],
];

for (const [index, [listen, kind]] of pairs.entries())
  test(`relay carries between listen:${listen} and ${kind}`, async () => {
    using dir = folder();
    const to =
      kind === "tcp" || kind === "udp" ? `${kind}://127.0.0.1:0` : `${kind}://${dir.path("s")}${index}`;
    await using server = berkeley(["echo", to]);
    const [, target = ""] = await server.line(/listening on (\S+)\n/);
    const from = listen.endsWith(":0") ? listen : `${listen}${dir.path("l")}${index}`;
    await using child = berkeley(["relay", "-q", "0.2", `listen:${from}`, target]);
    const [, url = ""] = await child.line(/listening on (\S+)\n/, "stderr");
    for (const words of ["hello", "again"]) {
      await using client = berkeley(["connect", "-q", "0.1", url]);
      client.stdin.write(words);
      assert.equal((await client.bytes(5)).toString(), words);
      client.stdin.end();
      assert.equal((await client.succeeded()).stdout.toString(), words);
    }
    child.kill("SIGTERM");
    await child.succeeded();
    assert.ok(!readdirSync(dir.path(".")).some((name) => name.startsWith("l")));
  });

test("relay gives each sender of datagrams a session of its own, and forgets who is idle", async () => {
  await using server = berkeley(["echo", ANY]);
  const target = await serving(server);
  const to = `tcp://127.0.0.1:${target}`;
  await using child = berkeley(["relay", "--idle", "0.2", "listen:udp://127.0.0.1:0", to]);
  const port = await serving(child, "stderr");
  using a = udpAt();
  using b = udpAt();
  for (const [sender, words] of [
    [a, "from a"],
    [b, "from b"],
  ] as const) {
    await sender.sendto(words, ["127.0.0.1", port]);
    const [answer, address] = await sender.recvfrom(100);
    assert.equal(answer.toString(), words);
    assert.deepEqual(address, ["127.0.0.1", port]);
  }
  await server.line(/(?:[^]* ended after 6 bytes\n){2}/);
  await a.sendto("again", ["127.0.0.1", port]);
  assert.equal((await a.recvfrom(100))[0].toString(), "again");
});

test("relay says that a datagram is too long for the other side, and goes on", {
  skip: PYTHON.skip,
}, async () => {
  using dir = folder();
  await using server = berkeley(["echo", "udp://127.0.0.1:0"]);
  const target = `udp://127.0.0.1:${await serving(server)}`;
  await using child = berkeley(["relay", `listen:unix-dgram://${dir.path("s")}`, target]);
  await child.line(/listening/, "stderr");
  await using peer = python(
    `
client = socket(AF_UNIX, SOCK_DGRAM)
client.bind(sys.argv[1] + "-client")
client.sendto(bytes(100000), sys.argv[1])
client.sendto(b"short", sys.argv[1])
say(client.recv(100).decode())`,
    [dir.path("s")],
  );
  assert.equal((await peer.succeeded()).stdout.toString(), "short\n");
  await child.line(/^berkeley: dropped a message of 100000 bytes: longer than /m, "stderr");
});

test("relay carries between socat at a Unix socket and CPython at TCP", {
  skip: socat.skip || PYTHON.skip,
}, async () => {
  using dir = folder();
  await using server = python(`
server = listen_at("127.0.0.1")
conn, _ = server.accept()
data = read_to_end(conn)
conn.sendall(data.upper())
conn.close()`);
  const [, port] = await server.line(/^port (\d+)$/m);
  await using child = berkeley(["relay", `listen:unix:${dir.path("s")}`, `tcp://127.0.0.1:${port}`]);
  await child.line(/listening/, "stderr");
  const input = "what is the time? ".repeat(20_000);
  await using client = start(socat.path, ["-t10", "-", `UNIX-CONNECT:${dir.path("s")}`], { input });
  assert.equal((await client.succeeded()).stdout.toString(), input.toUpperCase());
  await server.succeeded();
});

test("relay - URL is a conversation of standard input and output with ncat", {
  skip: ncat.skip,
}, async () => {
  await using listener = berkeley(["listen", ANY], { input: "answer" });
  const port = await serving(listener, "stderr");
  const { code, stdout } = await run(["relay", `tcp://127.0.0.1:${port}`, "-"], { input: "question" });
  assert.equal(stdout.toString(), "answer");
  assert.equal(code, 0);
  assert.equal((await listener.succeeded()).stdout.toString(), "question");
  await using other = berkeley(["relay", "-", `listen:${ANY}`], { input: "answer" });
  const at = await serving(other, "stderr");
  await using peer = start(ncat.path, ["127.0.0.1", String(at)], { input: "question" });
  assert.equal((await peer.succeeded()).stdout.toString(), "answer");
  assert.equal((await other.succeeded()).stdout.toString(), "question");
});

test("relay connects two servers that both wait for somebody, and ends with them", async () => {
  await using a = await nodeListen();
  await using b = await nodeListen();
  await using child = berkeley(["relay", `tcp://127.0.0.1:${a.port}`, `tcp://127.0.0.1:${b.port}`]);
  const [first, second] = await Promise.all([a.accept(), b.accept()]);
  first.end("from a");
  assert.equal((await readToEnd(second)).toString(), "from a");
  second.end("from b");
  assert.equal((await readToEnd(first)).toString(), "from b");
  await child.succeeded();
});

for (const signal of ["SIGINT", "SIGTERM"] as const)
  test(`relay ends with 0 on ${signal} while it carries, and ends both sides`, async () => {
    await using server = await nodeListen();
    await using child = berkeley(["relay", `listen:${ANY}`, `tcp://127.0.0.1:${server.port}`]);
    const client = await nodeConnect(await serving(child, "stderr"));
    const peer = await server.accept();
    child.kill(signal);
    await Promise.all([readToEnd(client), readToEnd(peer)]);
    const { stderr } = await child.succeeded();
    assert.doesNotMatch(stderr.toString(), /failed/);
  });

const misuse: Readonly<Record<string, readonly [args: string[], message: RegExp]>> = {
  "two sides that listen": [["listen:tcp://:0", "listen:tcp://:0"], /^berkeley: both sides listen/],
  "two sides that are standard input and output": [["-", "-"], /^berkeley: both sides are standard input/],
  "port 0 to connect to": [["-", "tcp://localhost:0"], /^berkeley: nobody can be reached at port 0/],
  "what is no URL": [["listen:8080", "-"], /^berkeley: "8080" is not a URL/],
  "one side": [["-"], /^berkeley: missing required argument 'B'/],
  "an idle time of 0": [["-i", "0", "-", "tcp://:1"], /^berkeley: --idle is a number of seconds/],
};

for (const [what, [args, message]] of Object.entries(misuse))
  test(`relay ends with 2 on ${what}`, async () => {
    const { code, stderr } = await run(["relay", ...args]);
    assert.match(stderr.toString(), message);
    assert.equal(code, 2);
  });
