// nc, ncat, socat and curl at the other end, of the library and of the command.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create_connection, SHUT_WR } from "berkeley";
import { listenAt, receiveExactly, receiveToEnd } from "../support/berkeley-tcp.ts";
import { berkeley, serving } from "../support/cli.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";

const nc = requirePeer("nc");
const ncat = requirePeer("ncat");
const socat = requirePeer("socat");
const curl = requirePeer("curl");

const bracketed = (host: string): string => (host.includes(":") ? `[${host}]` : host);

/** How each program is a client: what is on its input goes out and ends, what comes is on its output. */
const clients = {
  nc: {
    skip: nc.skip,
    start: (host: string, port: number, input: string) =>
      start(nc.path, ["-N", host, String(port)], { input }),
  },
  ncat: {
    skip: ncat.skip,
    start: (host: string, port: number, input: string) => start(ncat.path, [host, String(port)], { input }),
  },
  socat: {
    skip: socat.skip,
    start: (host: string, port: number, input: string) =>
      start(socat.path, ["-t10", "-", `TCP:${bracketed(host)}:${port}`], { input }),
  },
};

/** How each program is a server of one connection, and says where. */
const servers = {
  nc: {
    skip: nc.skip,
    start: (host: string, input: string) => start(nc.path, ["-v", "-N", "-n", "-l", host, "0"], { input }),
    port: async (child: Child) => Number((await child.line(/Listening on \S+ (\d+)/, "stderr"))[1]),
  },
  socat: {
    skip: socat.skip,
    start: (host: string, input: string) => {
      const listen = host.includes(":") ? `TCP6-LISTEN:0,bind=[${host}]` : `TCP4-LISTEN:0,bind=${host}`;
      return start(socat.path, ["-d", "-d", "-t10", listen, "-"], { input });
    },
    port: async (child: Child) => Number((await child.line(/listening on AF=\d+ \S+:(\d+)\n/, "stderr"))[1]),
  },
};

const question = "what is\nthe time?\n".repeat(5000);
const answer = "a quarter past\n".repeat(5000);

for (const host of ["127.0.0.1", "::1"]) {
  for (const [name, client] of Object.entries(clients)) {
    test(`accept(), recv() and sendall() speak with ${name} at ${host}`, { skip: client.skip }, async () => {
      using listener = listenAt(host);
      await using peer = client.start(host, listener.port, question);
      using conn = await listener.accept();
      assert.equal((await receiveExactly(conn, question.length)).toString(), question);
      await conn.sendall(answer);
      conn.shutdown(SHUT_WR);
      assert.equal((await receiveToEnd(conn)).length, 0);
      assert.equal((await peer.succeeded()).stdout.toString(), answer);
    });

    test(`berkeley listen speaks with ${name} at ${host}`, { skip: client.skip }, async () => {
      await using child = berkeley(["listen", `tcp://${bracketed(host)}:0`], { input: answer });
      await using peer = client.start(host, await serving(child, "stderr"), question);
      assert.equal((await peer.succeeded()).stdout.toString(), answer);
      assert.equal((await child.succeeded()).stdout.toString(), question);
    });
  }

  for (const [name, server] of Object.entries(servers)) {
    test(`create_connection(), sendall() and recv() speak with ${name} at ${host}`, {
      skip: server.skip,
    }, async () => {
      await using peer = server.start(host, answer);
      using conn = await create_connection([host, await server.port(peer)]);
      await conn.sendall(question);
      conn.shutdown(SHUT_WR);
      assert.equal((await receiveToEnd(conn)).toString(), answer);
      assert.equal((await peer.succeeded()).stdout.toString(), question);
    });

    test(`berkeley connect speaks with ${name} at ${host}`, { skip: server.skip }, async () => {
      await using peer = server.start(host, answer);
      const url = `tcp://${bracketed(host)}:${await server.port(peer)}`;
      await using child = berkeley(["connect", url], { input: question });
      assert.equal((await child.succeeded()).stdout.toString(), answer);
      assert.equal((await peer.succeeded()).stdout.toString(), question);
    });
  }
}

for (const [name, client] of Object.entries(clients))
  test(`berkeley echo answers ${name}`, { skip: client.skip }, async () => {
    await using child = berkeley(["echo", "tcp://127.0.0.1:0"]);
    await using peer = client.start("127.0.0.1", await serving(child), question);
    assert.equal((await peer.succeeded()).stdout.toString(), question);
  });

// curl cannot end its side alone: it passes its input on, and goes when the peer has ended.
for (const host of ["127.0.0.1", "::1"]) {
  test(`accept(), recv() and sendall() speak with curl telnet:// at ${host}`, {
    skip: curl.skip,
  }, async () => {
    using listener = listenAt(host);
    await using peer = start(curl.path, ["-sN", `telnet://${bracketed(host)}:${listener.port}`], {
      input: question,
    });
    using conn = await listener.accept();
    assert.equal((await receiveExactly(conn, question.length)).toString(), question);
    await conn.sendall(answer);
    conn.shutdown(SHUT_WR);
    assert.equal((await receiveToEnd(conn)).length, 0);
    assert.equal((await peer.succeeded()).stdout.toString(), answer);
  });

  test(`berkeley listen speaks with curl telnet:// at ${host}`, { skip: curl.skip }, async () => {
    await using child = berkeley(["listen", `tcp://${bracketed(host)}:0`]);
    const url = `telnet://${bracketed(host)}:${await serving(child, "stderr")}`;
    await using peer = start(curl.path, ["-sN", url], { input: question });
    assert.equal((await child.bytes(question.length)).toString(), question);
    child.stdin.end(answer);
    assert.equal((await peer.succeeded()).stdout.toString(), answer);
    await child.succeeded();
  });

  test(`berkeley echo answers curl telnet:// at ${host}`, { skip: curl.skip }, async () => {
    await using child = berkeley(["echo", `tcp://${bracketed(host)}:0`]);
    await using peer = start(curl.path, ["-sN", `telnet://${bracketed(host)}:${await serving(child)}`], {
      input: question,
    });
    assert.equal((await peer.bytes(question.length)).toString(), question);
  });
}
