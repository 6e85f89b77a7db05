// In a network namespace with Fast Open on at both ends: every way to open a connection with data, with CPython at the
// other end and without. Prints what each saw as JSON.

import { readFileSync } from "node:fs";
import * as b from "berkeley";
import * as sync from "berkeley/sync";
import { portOf, python } from "../support/python.ts";

/** Counters of the namespace, by name. */
function counter(name: string): number {
  const [names = "", values = ""] = readFileSync("/proc/net/netstat", "utf8")
    .split("\n")
    .filter((line) => line.startsWith("TcpExt:"));
  return Number(values.split(" ")[names.split(" ").indexOf(name)]);
}

const carried = (sock: b.Socket): boolean => (sock.options.TCP_INFO.options & b.TCPI_OPT_SYN_DATA) !== 0;

const codeOf = (failure: unknown): string => (failure as b.SocketError).code;

function listen(): b.Socket {
  const server = b.socket();
  server.bind(["127.0.0.1", 0]);
  server.options.TCP_FASTOPEN = 5;
  server.listen();
  return server;
}

/** One connection: what arrived, and whether the first segment carried it, as each end saw it. */
async function converse(server: b.Socket, open: (client: b.Socket) => Promise<void>): Promise<unknown> {
  using client = b.socket();
  await open(client);
  const [conn] = await server.accept();
  using accepted = conn;
  const text = (await accepted.recv(100)).toString();
  await accepted.sendall("answer");
  const answer = (await client.recv(100)).toString();
  return [text, answer, carried(client), carried(accepted)];
}

const results: Record<string, unknown> = {};
{
  using server = listen();
  const to = server.getsockname();
  const flagged = async (client: b.Socket): Promise<void> =>
    void (await client.sendto("flagged", b.MSG_FASTOPEN, to));
  results["first"] = await converse(server, flagged);
  results["second"] = await converse(server, flagged);
  results["by name"] = await converse(server, async (client) => {
    await client.sendto("named", b.MSG_FASTOPEN, ["localhost", to[1]]);
  });
  results["option"] = await converse(server, async (client) => {
    client.options.TCP_FASTOPEN_CONNECT = true;
    await client.connect(to);
    await client.sendall("option");
  });
  results["much"] = await converse(server, async (client) => {
    const sent = await client.sendto(Buffer.alloc(200_000, "m"), b.MSG_FASTOPEN, to);
    results["some of much"] = sent > 0 && sent < 200_000;
  }).then((seen) => (seen as unknown[]).slice(1));
  results["nonblocking"] = await converse(server, async (client) => {
    client.settimeout(0);
    await client.sendto("nonblocking", b.MSG_FASTOPEN, to);
    client.settimeout(null);
  });
}
{
  // A peer without a cookie yet, and one that nobody is.
  using server = listen();
  server.options.TCP_FASTOPEN_KEY = Buffer.from("another key here");
  using client = b.socket();
  client.bind(["127.0.0.1", 0]);
  client.settimeout(0);
  const [host, port] = server.getsockname();
  const error = await client
    .sendto("x", b.MSG_FASTOPEN, ["127.0.0.2", port])
    .catch((failure: unknown) => failure);
  results["begun"] = [(error as b.SocketError).code, host];
  const refusals: unknown[] = [];
  for (const stranger of ["127.0.0.3", "127.0.0.1"]) {
    using gone = b.socket();
    gone.bind([stranger, 0]);
    using refused = b.socket();
    // With a cookie the kernel takes the byte, and what became of it is told to the next call.
    refusals.push(await refused.sendto("x", b.MSG_FASTOPEN, gone.getsockname()).catch(codeOf));
    if (stranger === "127.0.0.1") refusals.push(await refused.recv(1).catch(codeOf));
  }
  results["refused"] = refusals;
}
{
  await using peer = python(`
server = socket(AF_INET, SOCK_STREAM)
server.bind(("127.0.0.1", 0))
server.setsockopt(IPPROTO_TCP, TCP_FASTOPEN, 5)
server.listen()
say("port", server.getsockname()[1])
for _ in range(2):
    conn, _ = server.accept()
    conn.sendall(conn.recv(100).upper())
    conn.close()`);
  const port = await portOf(peer);
  const answers: unknown[] = [];
  for (let count = 0; count < 2; count++) {
    using client = b.socket();
    await client.sendto("to python", b.MSG_FASTOPEN, ["127.0.0.1", port]);
    answers.push((await client.recv(100)).toString(), carried(client));
  }
  results["python server"] = answers;
}
{
  using server = listen();
  await using peer = python(
    `
for _ in range(2):
    sock = socket(AF_INET, SOCK_STREAM)
    sock.sendto(b"from python", MSG_FASTOPEN, ("127.0.0.1", int(sys.argv[1])))
    sock.recv(100)`,
    [server.getsockname()[1]],
  );
  const seen: unknown[] = [];
  for (let count = 0; count < 2; count++) {
    const [conn] = await server.accept();
    seen.push((await conn.recv(100)).toString(), carried(conn));
    await conn.sendall("answer");
    conn.close();
  }
  await peer.succeeded();
  results["python client"] = seen;
}
{
  using server = listen();
  using client = sync.socket();
  const accepting = server.accept();
  client.sendto("blocking", sync.MSG_FASTOPEN, server.getsockname());
  const [conn] = await accepting;
  results["blocking"] = (await conn.recv(100)).toString();
  conn.close();
}
results["active"] = counter("TCPFastOpenActive");
results["passive"] = counter("TCPFastOpenPassive");
results["cookies asked for"] = counter("TCPFastOpenCookieReqd");
console.log(JSON.stringify(results));
