// simulate(): unmodified programs over the Socket API on a network whose faults, time and randomness are the test's.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AF_INET6,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_LINGER,
  SO_RCVBUF,
  SHUT_WR,
  create_connection,
  create_server,
  socket,
} from "berkeley";
import type { Socket } from "berkeley";
import { simulate } from "berkeley/testing";
import type { SimulatedNetwork } from "berkeley/testing";
import { codeOf, pattern } from "../support/pair.ts";

const HOUR_MS = 3_600_000;

/** Sends everything back until the peer ends. */
async function echo(conn: Socket): Promise<void> {
  await using held = conn;
  for (;;) {
    const data = await held.recv(65_536);
    if (data.length === 0) return;
    await held.sendall(data);
  }
}

async function echoServer(server: Socket): Promise<void> {
  for await (const [conn] of server) void echo(conn).catch(() => undefined);
}

async function readAll(conn: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (;;) {
    const data = await conn.recv(65_536);
    if (data.length === 0) return Buffer.concat(parts);
    parts.push(data);
  }
}

/** A connection between hosts a and b: [client on a, server on b]. */
async function connected(network: SimulatedNetwork): Promise<[Socket, Socket]> {
  const [a, b] = [network.host("a"), network.host("b")];
  const server = b.run(() => create_server(["", 80]));
  const [client, [conn]] = await Promise.all([
    a.run(() => create_connection([b.address, 80])),
    server.accept(),
  ]);
  server.close();
  return [client, conn];
}

test("simulate() runs a server and a client on hosts of their own, and time passes by the link's latency", async () => {
  const ms = await simulate(async (network) => {
    const [a, b] = [network.host("a"), network.host("b")];
    network.link(a, b, { latencyMs: 50 });
    const server = b.run(() => create_server(["", 7]));
    const serving = echoServer(server);
    const reply = await a.run(async () => {
      await using conn = await create_connection([b.address, 7]);
      assert.deepEqual(conn.getpeername(), [b.address, 7]);
      assert.equal(conn.getsockname()[0], a.address);
      await conn.sendall("hello");
      return await conn.recv(100);
    });
    assert.equal(reply.toString(), "hello");
    const { now } = network;
    await network.sleep(1000);
    server.close();
    await serving;
    return now;
  });
  assert.ok(ms >= 200 && ms < 201, `${ms} ms: a handshake and an echo, each there and back`);
});

test("simulate() moves megabytes whole over a slow, lossy link that delays at random, in the time that it takes", async () => {
  const whole = pattern(1 << 20, 1);
  const ms = await simulate(
    async (network) => {
      const [client, conn] = await connected(network);
      network.link(network.host("a"), network.host("b"), {
        latencyMs: 20,
        jitterMs: 30,
        bytesPerSecond: 1_000_000,
        loss: 0.05,
      });
      const sending = client.sendall(whole).then(() => client.shutdown(SHUT_WR));
      const received = await readAll(conn);
      await sending;
      assert.deepEqual(received, whole);
      conn.close();
      client.close();
      return network.now;
    },
    { seed: 7 },
  );
  assert.ok(ms > 1048 && ms < 60_000, `${ms} ms`);
});

test("simulate() gives the same run for the same seed, and another for another", async () => {
  const run = (seed: number): Promise<string> =>
    simulate(
      async (network) => {
        const [client, conn] = await connected(network);
        network.link(network.host("a"), network.host("b"), { jitterMs: 10, loss: 0.2 });
        const log: string[] = [];
        const reading = (async () => {
          for (;;) {
            const { length } = await conn.recv(4096);
            log.push(`${network.now} ${length}`);
            if (length === 0) return;
          }
        })();
        for (let round = 0; round < 20; round++) {
          await client.sendall(Buffer.alloc(1 + network.random.below(10_000)));
          await network.sleep(network.random.below(50));
        }
        client.shutdown(SHUT_WR);
        await reading;
        client.close();
        conn.close();
        return log.join("\n");
      },
      { seed },
    );
  const first = await run(1);
  assert.equal(await run(1), first);
  assert.notEqual(await run(2), first);
});

test("simulate() lets an hour of network time pass in the time of its work", async () => {
  const now = await simulate(async (network) => {
    const [client, conn] = await connected(network);
    const serving = echo(conn);
    for (let minute = 0; minute < 60; minute++) {
      await client.sendall("x");
      await client.recv(1);
      await network.sleep(60_000);
    }
    client.close();
    await serving;
    return network.now;
  });
  assert.ok(now >= HOUR_MS);
});

test("settimeout() is of the simulation's time, and loses no byte", async () => {
  await simulate(async (network) => {
    const [client, conn] = await connected(network);
    conn.settimeout(5);
    const begun = network.now;
    assert.equal(await codeOf(conn.recv(1)), "ETIMEDOUT");
    assert.equal(network.now - begun, 5000);
    await client.sendall("late");
    assert.equal((await conn.recv(10)).toString(), "late");
    client.close();
    conn.close();
  });
});

test("connect() is refused where nobody listens, and times out where nobody answers", async () => {
  await simulate(async (network) => {
    const [a, b] = [network.host("a"), network.host("b")];
    await a.run(async () => {
      assert.equal(await codeOf(create_connection([b.address, 1])), "ECONNREFUSED");
      assert.equal(await codeOf(create_connection(["10.0.0.200", 1])), "ENETUNREACH");
      network.partition([a], [b]);
      const begun = network.now;
      assert.equal(await codeOf(create_connection([b.address, 1])), "ETIMEDOUT");
      // tcp(7): tcp_syn_retries is 6, "which corresponds to approximately 127 seconds".
      assert.equal(Math.round((network.now - begun) / 1000), 127);
    });
  });
});

test("a full accept queue refuses nobody: who knocks again comes in", async () => {
  await simulate(async (network) => {
    const [a, b] = [network.host("a"), network.host("b")];
    const server = b.run(() => create_server(["", 80], { backlog: 2 }));
    const clients = Array.from({ length: 10 }, () => a.run(() => create_connection([b.address, 80])));
    const conns: Socket[] = [];
    for (let count = 0; count < 10; count++) {
      await network.sleep(500);
      conns.push((await server.accept())[0]);
    }
    for (const end of [...(await Promise.all(clients)), ...conns, server]) end.close();
  });
});

test("a reader that does not read stops its writer, and memory is bounded by the buffers", async () => {
  await simulate(async (network) => {
    const [client, conn] = await connected(network);
    const progress = { bytes: 0 };
    const sending = client.sendall(Buffer.alloc(10 << 20), 0, { progress });
    await network.sleep(HOUR_MS);
    assert.ok(progress.bytes > 100_000 && progress.bytes <= 2 * 212_992, `${progress.bytes} bytes`);
    let count = 0;
    while (count < 10 << 20) count += (await conn.recv(65_536)).length;
    await sending;
    client.close();
    conn.close();
  });
});

test("a partition stalls a connection, and it goes on when it is healed in time", async () => {
  await simulate(async (network) => {
    const [a, b] = [network.host("a"), network.host("b")];
    const [client, conn] = await connected(network);
    network.partition([a], [b]);
    await client.sendall("through");
    const receiving = conn.recv(10);
    await network.sleep(30_000);
    network.heal();
    assert.equal((await receiving).toString(), "through");
    client.close();
    conn.close();
  });
});

test("a partition that lasts ends the sender's connection with ETIMEDOUT", async () => {
  await simulate(async (network) => {
    const [client, conn] = await connected(network);
    network.partition([network.host("a")], [network.host("b")]);
    await client.sendall("lost");
    assert.equal(await codeOf(client.recv(1)), "ETIMEDOUT");
    // tcp(7): tcp_retries2 is 15, which is between 13 and 30 minutes.
    assert.ok(network.now > 13 * 60_000 && network.now < 30 * 60_000, `${network.now} ms`);
    assert.equal(await codeOf(client.send("x")), "EPIPE");
    client.close();
    conn.close();
  });
});

for (const [how, cut] of Object.entries({
  "a middlebox resets it": (network: SimulatedNetwork) => network.reset(network.host("a"), network.host("b")),
  "the peer closes with SO_LINGER 0": (_network: SimulatedNetwork, peer: Socket) => {
    peer.setsockopt(SOL_SOCKET, SO_LINGER, Int32Array.of(1, 0));
    peer.close();
  },
}))
  test(`recv() brings what had arrived and then rejects with ECONNRESET when ${how}`, async () => {
    await simulate(async (network) => {
      const [client, conn] = await connected(network);
      await conn.sendall("before");
      await network.sleep(100);
      cut(network, conn);
      await network.sleep(100);
      assert.equal((await client.recv(100)).toString(), "before");
      assert.equal(await codeOf(client.recv(1)), "ECONNRESET");
      assert.equal((await client.recv(1)).length, 0);
      client.close();
      conn.close();
    });
  });

test("a host that crashes and comes back answers an old connection with a reset", async () => {
  await simulate(async (network) => {
    const b = network.host("b");
    const [client, conn] = await connected(network);
    b.crash();
    assert.equal(await codeOf(conn.send("x")), "ENETDOWN");
    await client.sendall("are you there?");
    await network.sleep(5000);
    b.restart();
    assert.equal(await codeOf(client.recv(1)), "ECONNRESET");
    client.close();
    conn.close();
  });
});

test("half-close: what was sent before and after the peer's end arrives", async () => {
  await simulate(async (network) => {
    const [client, conn] = await connected(network);
    await client.sendall("request");
    client.shutdown(SHUT_WR);
    assert.equal((await readAll(conn)).toString(), "request");
    await conn.sendall("answer");
    conn.close();
    assert.equal((await readAll(client)).toString(), "answer");
    client.close();
  });
});

test("datagrams are lost, doubled and overtaken as the link says, and never changed", async () => {
  const [count, arrived] = await simulate(
    async (network) => {
      const [a, b] = [network.host("a"), network.host("b")];
      network.link(a, b, { loss: 0.3, duplication: 0.2, jitterMs: 20 });
      const receiver = b.run(() => socket(AF_INET, SOCK_DGRAM));
      receiver.setsockopt(SOL_SOCKET, SO_RCVBUF, 1 << 20);
      receiver.bind(["", 514]);
      const sender = a.run(() => socket(AF_INET, SOCK_DGRAM));
      for (let number = 0; number < 500; number++) {
        await sender.sendto(`datagram ${number}`, [b.address, 514]);
        await network.sleep(1);
      }
      await network.sleep(1000);
      const numbers: number[] = [];
      receiver.settimeout(1);
      for (;;) {
        const got = await receiver.recvfrom(100).catch(() => undefined);
        if (got === undefined) break;
        assert.equal(got[1][0], a.address);
        numbers.push(Number(/^datagram (\d+)$/.exec(got[0].toString())?.[1]));
      }
      sender.close();
      receiver.close();
      return [500, numbers] as const;
    },
    { seed: 3 },
  );
  const different = new Set(arrived);
  assert.ok(different.size > 300 && different.size < count, `${different.size} arrived`);
  assert.ok(arrived.length > different.size, "some came twice");
  assert.notDeepEqual(
    arrived,
    arrived.toSorted((one, other) => one - other),
  );
});

test("a datagram to nobody rejects the next call of a connected sender with ECONNREFUSED", async () => {
  await simulate(async (network) => {
    const [a, b] = [network.host("a"), network.host("b")];
    const sender = a.run(() => socket(AF_INET6, SOCK_DGRAM));
    await sender.connect([b.address6, 9]);
    await sender.send("anybody?");
    assert.equal(await codeOf(sender.recv(1)), "ECONNREFUSED");
    sender.close();
  });
});

test("simulate() says the seed and the time in the message of what the program throws", async () => {
  await assert.rejects(
    simulate(
      async (network) => {
        await network.sleep(1500);
        throw new Error("no");
      },
      { seed: 42 },
    ),
    { message: "no\n(simulated network: seed 42, after 1500.000 ms)" },
  );
});

test("simulate() rejects with ERR_SIMULATION_STALLED when everybody waits for nothing", async () => {
  await assert.rejects(
    simulate(async (network) => {
      const server = network.host("a").run(() => create_server(["", 80]));
      await server.accept();
    }),
    (error: Error & { code?: string }) =>
      error.code === "ERR_SIMULATION_STALLED" && error.message.includes("a: TCP 0.0.0.0:80 → –"),
  );
});

test("simulate() rejects with ERR_SIMULATION_LEAK when a socket is left open, and says which", async () => {
  await assert.rejects(
    simulate(async (network) => {
      network.host("a").run(() => create_server(["", 80]));
      await network.sleep(1);
    }),
    (error: Error & { code?: string }) =>
      error.code === "ERR_SIMULATION_LEAK" && error.message.includes("a: TCP 0.0.0.0:80"),
  );
});

test("sockets outside of simulate() are the kernel's meanwhile", async () => {
  await using server = create_server(["127.0.0.1", 0]);
  await simulate(async (network) => {
    await network.sleep(10);
  });
  await using conn = await create_connection(server.getsockname() as [string, number]);
  assert.ok(conn.fileno() < 2 ** 20);
});
