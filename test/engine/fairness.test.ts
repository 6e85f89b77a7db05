// No descriptor starves the others or the event loop. In each test somebody always has something to do at once, and goes
// on until timers, immediates and another pair have had their turns often enough.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { ReceiveBatch, SendBatch, create_server, socket, socketpair } from "berkeley";
import type { Socket, SocketError } from "berkeley";
import { receiveExactly } from "../support/berkeley-tcp.ts";
import { tcpPair } from "../support/pair.ts";
import { udpPair } from "../support/udp.ts";

/** How often everybody else must have come to his turn. */
const TURNS = 10;

/** Lets `greedy` go on until timers, immediates and an echo have each had their turns. */
async function othersRunBeside(greedy: (go: () => boolean) => Promise<unknown>): Promise<void> {
  using pair = await tcpPair();
  const { a, b } = pair;
  let left = 3;
  const one = async (what: () => Promise<unknown>): Promise<void> => {
    for (let turns = 0; turns < TURNS; turns++) await what();
    left--;
  };
  const echo = async (): Promise<void> => {
    const answered = b.recv(4).then((bytes) => b.sendall(bytes));
    await turn(); // the request waits for the loop, as a peer's does
    await a.sendall("ping");
    await receiveExactly(a, 4);
    await answered;
  };
  await Promise.all([greedy(() => left > 0), one(() => sleep(1)), one(() => turn()), one(echo)]);
}

test("recv() and sendall() that never have to wait let others run", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  await othersRunBeside(async (go) => {
    while (go()) {
      await a.sendall("x");
      await b.recv(1);
    }
  });
});

test("recv() and sendall() of much that never have to wait let others run", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  const bytes = Buffer.alloc(32_768);
  await othersRunBeside(async (go) => {
    while (go()) {
      await a.sendall(bytes);
      for (let got = 0; got < bytes.length; ) got += (await b.recv(bytes.length)).length;
    }
  });
});

test("recv() and send() in non-blocking mode that never have to wait let others run", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  a.setblocking(false);
  b.setblocking(false);
  await othersRunBeside(async (go) => {
    while (go()) {
      await a.send("x");
      // On a busy machine the kernel may not have carried it over yet.
      await b.recv(1).catch((error: unknown) => assert.equal((error as SocketError).code, "EAGAIN"));
    }
  });
});

test("recv() in non-blocking mode that never finds anything lets others run", async () => {
  using pair = await tcpPair();
  pair.a.setblocking(false);
  await othersRunBeside(async (go) => {
    while (go()) await pair.a.recv(1).catch(() => undefined);
  });
});

test("recv()s that wait in their hundreds on a full socket let others run", async () => {
  using pair = await tcpPair();
  const { a, b } = pair;
  await othersRunBeside(async (go) => {
    const readers = Array.from({ length: 300 }, async () => {
      while (go()) await b.recv_into(Buffer.alloc(1));
    });
    while (go()) await a.sendall(Buffer.alloc(1000));
    a.close(); // those who still wait read the end
    await Promise.all(readers);
  });
});

test("recvmmsg() and sendmmsg() of batches that never have to wait let others run", async () => {
  using pair = udpPair();
  const [out, batch] = [new SendBatch(), new ReceiveBatch()];
  await othersRunBeside(async (go) => {
    while (go()) {
      for (let i = 0; i < 40; i++) out.add(Buffer.alloc(i), pair.to);
      await pair.a.sendmmsg(out);
      let left = 40;
      while (left > 0) left -= await pair.b.recvmmsg(batch);
    }
  });
});

test("accept() of connections that never stop coming lets others run", async () => {
  using server = create_server(["127.0.0.1", 0]);
  await othersRunBeside(async (go) => {
    while (go()) {
      const client = socket();
      await Promise.all([
        client.connect(server.getsockname()),
        server.accept().then(([conn]) => conn.close()),
      ]);
      client.close();
    }
  });
});

/** A thread that reads all that it gets as fast as it can, or sends as fast as it can. */
async function thread(what: "reads" | "sends"): Promise<{ end: Socket; gone: () => Promise<unknown> }> {
  const server = create_server(["127.0.0.1", 0]);
  const source = `
    import("berkeley").then(async ({ create_connection }) => {
      const end = await create_connection(["127.0.0.1", ${server.getsockname()[1]}]);
      const bytes = Buffer.alloc(1 << 20);
      try {
        for (;;) ${what === "reads" ? "if (await end.recv_into(bytes) === 0) break;" : "await end.sendall(bytes);"}
      } catch {} // the other end was closed
      end.close();
    })`;
  const worker = new Worker(source, { eval: true });
  const exited = new Promise((resolve) => worker.once("exit", resolve));
  const [end] = await server.accept();
  server.close();
  return {
    end,
    gone() {
      end.close();
      return exited;
    },
  };
}

test("one sendall() that a fast reader drains lets others run", async () => {
  const { end, gone } = await thread("reads");
  const bytes = Buffer.alloc(1 << 28);
  const begun = performance.now();
  let longest = 0;
  let last = begun;
  const watch = setInterval(() => {
    longest = Math.max(longest, performance.now() - last);
    last = performance.now();
  }, 1);
  await end.sendall(bytes);
  clearInterval(watch);
  assert.ok(last > begun, "a timer ran");
  assert.ok(longest < (performance.now() - begun) * 0.9, `the loop stood still for ${longest} ms`);
  await gone();
});

test("sendall()s that a fast reader drains let others run", async () => {
  const { end, gone } = await thread("reads");
  await othersRunBeside(async (go) => {
    while (go()) await end.sendall("x");
  });
  await gone();
});

test("recv() from a sender that never stops lets others run", async () => {
  const { end, gone } = await thread("sends");
  await othersRunBeside(async (go) => {
    while (go()) await end.recv(100);
  });
  await gone();
});

for (const mode of ["r", "rb"] as const)
  test(`lines that have come let others run, makefile("${mode}")`, async () => {
    const [a, b] = socketpair();
    a.setblocking(false);
    const count = await a.send(Buffer.alloc(1 << 20, "\n"));
    const file = b.makefile(mode as "r");
    let turns = 0;
    const other = (): void => {
      turns++;
      next = setImmediate(other);
    };
    let next = setImmediate(other);
    for (let lines = 0; lines < count; lines++) await file.readline();
    clearImmediate(next);
    assert.ok(turns > Math.floor(count / 50_000), `${count} lines in ${turns} turns`);
    await file.close();
    for (const end of [a, b]) end.close();
  });
