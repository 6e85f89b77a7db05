// Commands with many peers at once: their limits, their threads, their programs.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { formatProxyV1, formatProxyV2 } from "berkeley/server";
import { connectTcp, connectUnix } from "berkeley/stream";
import { pattern } from "../support/pair.ts";
import { berkeley, run, serving } from "../support/cli.ts";
import type { Child } from "../support/process.ts";
import { ask, readAll } from "../server/support.ts";

const ANY = "tcp://127.0.0.1:0";
const ENDS = { source: ["192.0.2.1", 4242], destination: ["198.51.100.1", 443] } as const;
const folder = mkdtempSync(join(tmpdir(), "berkeley-serving-"));
after(() => rmSync(folder, { recursive: true }));

test("echo --max-connections has so many peers at once, and the next when one ends", async () => {
  await using child = berkeley(["echo", ANY, "--max-connections", "2"]);
  const port = await serving(child);
  const [first, second, third] = [0, 0, 0].map(() => connectTcp("127.0.0.1", port));
  for (const client of [await first, await second]) assert.equal(await ask(client!, "x"), "x");
  const waiting = ask((await third)!, "y");
  assert.equal(await ask((await first)!, "still"), "still");
  assert.equal(
    child
      .output()
      .toString()
      .match(/ connected$/gm)?.length,
    2,
  );
  await (await first)!.closeWrite();
  assert.equal(await waiting, "y");
  for (const client of [first, second, third]) (await client)!.close();
});

test("echo --idle-timeout ends silent peers and says so", async () => {
  await using child = berkeley(["echo", ANY, "--idle-timeout", "0.1"]);
  const client = await connectTcp("127.0.0.1", await serving(child));
  assert.equal(await ask(client, "hello"), "hello");
  assert.equal(await readAll(client), "");
  await child.line(/^127\.0\.0\.1:\d+ failed after 5 bytes: idle for 100 ms \(127\.0\.0\.1:\d+\)$/m);
  client.close();
});

for (const workers of [[], ["--workers", "2"]])
  test(`echo --proxy-protocol takes clients' addresses from a trusted proxy (${workers.join(" ") || "one thread"})`, async () => {
    await using child = berkeley(["echo", ANY, "--proxy-protocol", "127.0.0.0/8,unix", ...workers]);
    const port = await serving(child);
    for (const header of [formatProxyV1(ENDS), formatProxyV2(ENDS)]) {
      await using client = await connectTcp("127.0.0.1", port);
      await client.sendAll(header);
      assert.equal(await ask(client, "hello"), "hello");
    }
    await child.line(/^192\.0\.2\.1:4242 connected\n192\.0\.2\.1:4242 sent 5 bytes: hello$/m);
    await using rude = await connectTcp("127.0.0.1", port);
    await rude.sendAll("GET / HTTP/1.1\r\n\r\n");
    await child.line(
      /^127\.0\.0\.1:\d+ refused: PROXY protocol: the connection begins with something else$/m,
    );
  });

test("echo --workers serves and prints in threads, at several URLs, and ends with 0 at SIGTERM", async () => {
  const path = join(folder, "echo");
  await using child = berkeley(["echo", ANY, `unix:${path}`, "--workers", "2"]);
  const port = await serving(child);
  await child.line(/^listening on unix:.*echo$/m);
  const clients = [await connectTcp("127.0.0.1", port), await connectUnix(path)];
  for (const client of clients) assert.equal(await ask(client, "hello"), "hello");
  await child.line(/^127\.0\.0\.1:\d+ sent 5 bytes: hello$/m);
  await child.line(/^pid \d+ sent 5 bytes: hello$/m);
  await clients[0]?.closeWrite();
  await child.line(/^127\.0\.0\.1:\d+ ended after 5 bytes$/m);
  child.kill("SIGTERM");
  const { code, stderr } = await child.exited;
  assert.deepEqual([code, stderr.toString()], [0, ""]);
  for (const client of clients) client.close();
  await assert.rejects(connectUnix(path), { code: "ENOENT" });
});

test("echo --workers ends quietly with 141 when the reader of its output has gone", async () => {
  await using child = berkeley(["echo", ANY, "--workers", "1"]);
  const port = await serving(child);
  child.stdout.destroy();
  await once(child.stdout, "close");
  const client = await connectTcp("127.0.0.1", port);
  await client.sendAll("x");
  const { code, stderr } = await child.exited;
  assert.deepEqual([code, stderr.toString()], [141, ""]);
  client.close();
});

async function listening(...args: string[]): Promise<{ child: Child; port: number } & AsyncDisposable> {
  const child = berkeley(["listen", ...args]);
  const port = await serving(child, "stderr");
  return { child, port, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}

test("listen --exec gives each peer a program, many at once", async () => {
  await using server = await listening("--exec", ANY, "cat");
  const clients = await Promise.all([0, 1, 2].map(() => connectTcp("127.0.0.1", server.port)));
  for (const [at, client] of clients.entries()) assert.equal(await ask(client, `to ${at}`), `to ${at}`);
  for (const client of clients) {
    await client.closeWrite();
    assert.equal(await readAll(client), "");
    client.close();
  }
  await server.child.line(/(?:127\.0\.0\.1:\d+ ended\n.*){3}/s, "stderr");
  server.child.kill("SIGTERM");
  assert.equal((await server.child.exited).code, 0);
});

test("listen --exec carries a megabyte through a program whole, and its end", async () => {
  await using server = await listening(ANY, "--exec", "--", "cat", "-u");
  const client = await connectTcp("127.0.0.1", server.port);
  const sent = pattern(1 << 20);
  const received: Buffer[] = [];
  await Promise.all([
    client.sendAll(sent).then(() => client.closeWrite()),
    (async () => {
      for (;;) {
        const bytes = await client.receiveSome();
        if (bytes.length === 0) return;
        received.push(bytes);
      }
    })(),
  ]);
  assert.ok(Buffer.concat(received).equals(sent));
  client.close();
});

test("listen --exec ends a connection whose program has ended, whatever it had not read", async () => {
  await using server = await listening(ANY, "--exec", "--", "head", "-c", "3");
  const client = await connectTcp("127.0.0.1", server.port);
  await client.sendAll("abcdefgh");
  assert.equal(await readAll(client), "abc");
  await server.child.line(/ ended$/m, "stderr");
  client.close();
});

test("listen --exec refuses a proxy that is not trusted, and tells", async () => {
  await using server = await listening("--proxy-protocol", "192.0.2.0/24,unix", "--exec", ANY, "cat");
  const client = await connectTcp("127.0.0.1", server.port);
  assert.equal(await readAll(client), "");
  await server.child.line(/127\.0\.0\.1:\d+ refused: not one of the trusted proxies/, "stderr");
  client.close();
});

test("listen --exec takes arguments as they are: no shell reads them", async () => {
  await using server = await listening(ANY, "--exec", "--", "printf", "%s", "$HOME; 'x'");
  const client = await connectTcp("127.0.0.1", server.port);
  assert.equal(await readAll(client), "$HOME; 'x'");
  await server.child.line(/ ended$/m, "stderr");
  client.close();
});

test("listen --shell runs a shell's command, which knows the peer", async () => {
  await using server = await listening(
    "--shell",
    'read name; echo "hello $name, at $PROTO $TCPREMOTEIP $TCPREMOTEPORT, here $TCPLOCALIP $TCPLOCALPORT"; exit 7',
    ANY,
  );
  const client = await connectTcp("127.0.0.1", server.port);
  const [, own] = client.localAddress as [string, number];
  await client.sendAll("world\n");
  assert.equal(
    await readAll(client),
    `hello world, at TCP 127.0.0.1 ${own}, here 127.0.0.1 ${server.port}\n`,
  );
  await server.child.line(/ ended: \/bin\/sh ended with 7$/m, "stderr");
  client.close();
  const path = join(folder, "shell");
  await using unix = berkeley(["listen", "--shell", "echo $PROTO", `unix:${path}`]);
  await unix.line(/listening on/, "stderr");
  const other = await connectUnix(path);
  assert.equal(await readAll(other), "UNIX\n");
  other.close();
});

test("listen --exec says that a program cannot be run, and goes on", async () => {
  await using server = await listening(ANY, "--exec", join(folder, "nothing"));
  for (let time = 0; time < 2; time++) {
    const client = await connectTcp("127.0.0.1", server.port);
    assert.equal(await readAll(client), "");
    client.close();
  }
  await server.child.line(
    /(?:127\.0\.0\.1:\d+ failed: cannot run .*nothing: there is no such program\n.*){2}/s,
    "stderr",
  );
});

for (const [what, args] of [
  ["is idle", ["--idle-timeout", "0.1"]],
  ["resets", []],
] as const)
  test(`listen --exec ends the program of a peer that ${what}`, async () => {
    await using server = await listening(...args, "--shell", "echo $$; exec sleep 1000", ANY);
    const client = await connectTcp("127.0.0.1", server.port);
    const pid = Number((await client.receiveSome()).toString());
    assert.ok(isAlive(pid));
    if (what === "resets") {
      client.socket.options.SO_LINGER = { onoff: true, linger: 0 };
      client.close();
    }
    await server.child.line(
      what === "is idle" ? /failed: idle for 100 ms/ : /failed: .*ECONNRESET/,
      "stderr",
    );
    assert.equal(isAlive(pid), false);
    client.close();
  });

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test("listen --exec --proxy-protocol tells the program of the client, and has nothing of the header in its input", async () => {
  await using server = await listening(
    "--proxy-protocol",
    "127.0.0.1",
    "--shell",
    "echo $TCPREMOTEIP; cat",
    ANY,
  );
  const client = await connectTcp("127.0.0.1", server.port);
  await client.sendAll(Buffer.concat([formatProxyV2(ENDS, { checksum: true }), Buffer.from("input")]));
  await client.closeWrite();
  assert.equal(await readAll(client), "192.0.2.1\ninput");
  client.close();
});

for (const [args, message] of [
  [["echo", "udp://127.0.0.1:0", "--workers", "2"], /--workers is for streams/],
  [["echo", "udp://127.0.0.1:0", "--max-connections", "2"], /are for streams/],
  [["echo", "--max-connections", "many"], /--max-connections is a whole number/],
  [["echo", "--proxy-protocol", "localhost"], /--proxy-protocol: an address must be/],
  [["listen", ANY, "--exec"], /--exec needs a program/],
  [["listen", ANY, "--keep", "--exec", "cat"], /--keep and --quiet are not for programs/],
  [["listen", ANY, "--max-connections", "2"], /are for --exec and --shell/],
] as const)
  test(`berkeley ${args.join(" ")} is refused`, async () => {
    const { code, stderr } = await run(args);
    assert.equal(code, 2);
    assert.match(stderr.toString(), message);
  });
