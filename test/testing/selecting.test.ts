// Selectors, and servers of berkeley/socketserver, which wait by them, as they are on a simulated network.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AF_INET, SOCK_DGRAM, create_connection, create_server, socket } from "berkeley";
import type { Socket } from "berkeley";
import { DefaultSelector, EVENT_READ, EVENT_WRITE, readable, writable } from "berkeley/selectors";
import { StreamRequestHandler, ThreadingTCPServer, UDPServer } from "berkeley/socketserver";
import type { DatagramRequest } from "berkeley/socketserver";
import { connectTcp } from "berkeley/stream";
import { simulate } from "berkeley/testing";
import type { SimulatedNetwork } from "berkeley/testing";
import { codeOf } from "../support/pair.ts";

const HOUR_MS = 3_600_000;

class Lines extends StreamRequestHandler {
  override async handle(): Promise<void> {
    for await (const line of this.rfile) await this.wfile.write(`${line.toString().trimEnd()}!\n`);
  }
}

/** A listener at home, and a way to it from elsewhere. */
function listening(network: SimulatedNetwork): { server: Socket; connect: () => Promise<Socket> } {
  const [home, away] = [network.host("home"), network.host("away")];
  return {
    server: home.run(() => create_server(["", 80])),
    connect: () => away.run(() => create_connection([home.address, 80])),
  };
}

test("select_async() serves an echo by readiness alone, and waits as long as it is told", async () => {
  await simulate(async (network) => {
    const { server, connect } = listening(network);
    const selector = new DefaultSelector<string, Socket>();
    selector.register(server, EVENT_READ, "listener");
    const begun = network.now;
    assert.deepEqual(await selector.select_async(3600), []);
    assert.equal(network.now - begun, HOUR_MS);
    const talking = (async (): Promise<string> => {
      await using client = await connect();
      await client.sendall("hello");
      return (await client.recv(100)).toString();
    })();
    let ends = 0;
    while (ends === 0)
      for (const [{ fileobj, data }, events] of await selector.select_async()) {
        assert.equal(events, EVENT_READ);
        if (data === "listener") {
          const [conn] = await fileobj.accept();
          selector.register(conn, EVENT_READ, "connection");
          continue;
        }
        const bytes = await fileobj.recv(100);
        if (bytes.length > 0) await fileobj.sendall(bytes);
        else {
          ends++;
          selector.unregister(fileobj);
          fileobj.close();
        }
      }
    assert.equal(await talking, "hello");
    selector.modify(server, EVENT_READ, "listener");
    assert.deepEqual(selector.select(0), []);
    selector.close();
    server.close();
  });
});

test("readable() and writable() are level-triggered on a simulated network, and end with their signal", async () => {
  await simulate(async (network) => {
    const { server, connect } = listening(network);
    const [client, [conn]] = await Promise.all([connect(), server.accept()]);
    await writable(client);
    const coming = readable(conn);
    await client.sendall("hello");
    await coming;
    await readable(conn);
    assert.equal((await conn.recv(100)).toString(), "hello");
    const begun = network.now;
    await assert.rejects(readable(conn, { signal: network.timeout(1000) }), { name: "TimeoutError" });
    assert.equal(network.now - begun, 1000);
    client.close();
    await readable(conn);
    assert.equal((await conn.recv(100)).length, 0);
    const fd = conn.fileno();
    conn.close();
    server.close();
    assert.equal(await codeOf(readable(fd)), "EBADF");
  });
});

test("a selector refuses what it has, and forgets what is closed", async () => {
  await simulate(async (network) => {
    const { server } = listening(network);
    const selector = new DefaultSelector<null, Socket>();
    selector.register(server, EVENT_READ);
    assert.throws(() => selector.register(server, EVENT_WRITE), { code: "ERR_ALREADY_REGISTERED" });
    selector.modify(server, EVENT_WRITE);
    server.close();
    assert.deepEqual(await selector.select_async(1), []);
    selector.close();
  });
});

test("ThreadingTCPServer.serve_forever() serves for an hour of a simulated network's time", async () => {
  await simulate(async (network) => {
    const [home, away] = [network.host("home"), network.host("away")];
    let looked = 0;
    class Looking extends ThreadingTCPServer {
      override service_actions(): void {
        looked++;
      }
    }
    const server = home.run(() => new Looking(["", 80], Lines));
    const serving = server.serve_forever(60);
    for (let minutes = 0; minutes < 60; minutes += 10) {
      await using client = await away.run(() => connectTcp(home.address, 80));
      await client.sendAll("hello\n");
      assert.equal((await client.receiveSome()).toString(), "hello!\n");
      await network.sleep(HOUR_MS / 6);
    }
    await server.shutdown();
    await serving;
    await server.server_close();
    assert.ok(looked >= 60 && looked < 80, `${looked} times`);
  });
});

test("handle_request() calls handle_timeout() when nothing came for an hour of a simulated network's time", async () => {
  await simulate(async (network) => {
    const home = network.host("home");
    const requests: DatagramRequest[] = [];
    let late = 0;
    class Late extends UDPServer {
      override timeout = 3600;
      override handle_timeout(): void {
        late++;
      }
      override async process_request(request: DatagramRequest): Promise<void> {
        requests.push(request);
        await Promise.resolve();
      }
    }
    const server = home.run(() => new Late(["", 53], Lines as never));
    await server.handle_request();
    assert.deepEqual([late, network.now], [1, HOUR_MS]);
    const client = network.host("away").run(() => socket(AF_INET, SOCK_DGRAM));
    await client.sendto("hello", [home.address, 53]);
    await server.handle_request();
    assert.deepEqual(
      requests.map(([packet]) => packet.toString()),
      ["hello"],
    );
    client.close();
    await server.server_close();
  });
});
