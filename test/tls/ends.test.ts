// How TLS begins and ends: a handshake that takes too long, ends or is given up; an end that is TLS's own, and one that
// somebody may have made; upgrades of a conversation in the clear, both ways.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BufferedReader, memoryPair } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { acceptTls, listenTls, startTls } from "berkeley/tls";
import type { TlsStream } from "berkeley/tls";
import { OPENSSL, certificates } from "../support/certificates.ts";
import type { Child } from "../support/process.ts";
import { program } from "../support/program.ts";
import { codeOf, openSockets, pattern, rejection, stillWaits } from "../support/pair.ts";
import { clientOptions, memoryStreams, tcpStreams, tlsPair, wrapped } from "../support/tls.ts";

const { skip } = OPENSSL;
const NEVER = 3_600_000;

/** Resolves after a turn of the loop. */
const turn = (): Promise<string> => new Promise((resolve) => setImmediate(() => resolve("it runs")));

/** Everything up to the end; the error it ended with, if it did. */
async function receiveAll(stream: ByteStream): Promise<{ bytes: Buffer; code: string | undefined }> {
  const pieces: Buffer[] = [];
  try {
    for (;;) {
      const piece = await stream.receiveSome();
      if (piece.length === 0) return { bytes: Buffer.concat(pieces), code: undefined };
      pieces.push(piece);
    }
  } catch (error) {
    return { bytes: Buffer.concat(pieces), code: (error as { code: string }).code };
  }
}

/** A pair whose server can be cut off beneath TLS. */
async function cuttable(
  near: "a descriptor" | "a wrapped stream",
  maxVersion: "TLSv1.2" | "TLSv1.3",
): Promise<{ client: TlsStream; server: TlsStream; raw: ByteStream }> {
  const [mine, raw] = await tcpStreams();
  const [client, server] = await Promise.all([
    startTls(near === "a descriptor" ? mine : wrapped(mine), clientOptions({ maxVersion })),
    acceptTls(wrapped(raw), certificates().server),
  ]);
  return { client, server, raw };
}

test("an open TlsStream holds the process though nobody waits on it, until unref()", { skip }, async () => {
  await using listener = await listenTls("127.0.0.1", 0, certificates().server);
  const [, port] = listener.localAddress as [string, number];
  const run = async (how: string): Promise<Child> => {
    const args = [String(port), certificates().authority.certificatePath, how];
    const child = program(import.meta.url, "idle-child", { args });
    accepted.push(await listener.accept());
    await child.line(/connected/);
    return child;
  };
  const accepted: TlsStream[] = [];
  await using held = await run("held");
  await using free = await run("unref");
  assert.equal((await free.exited).code, 0);
  // It was connected before the other one, which had the time to start and to end since.
  assert.equal(await Promise.race([held.exited, turn()]), "it runs");
  held.kill("SIGTERM");
  assert.equal((await held.exited).code, 0);
  for (const stream of accepted) stream.close();
});

test("close() closes a wrapped stream that takes nothing any more", { skip }, async () => {
  const [near, far] = memoryPair();
  const stuck = wrapped(near);
  let closed!: () => void;
  const closing = new Promise<void>((resolve) => (closed = resolve));
  let taking = true;
  const [client, server] = await Promise.all([
    startTls(
      {
        ...stuck,
        sendAll: (data, options) => (taking ? near.sendAll(data, options) : new Promise(() => undefined)),
        close: () => {
          near.close();
          closed();
        },
      },
      clientOptions(),
    ),
    acceptTls(far, certificates().server),
  ]);
  taking = false;
  client.close();
  await closing;
  server.close();
});

for (const maxVersion of ["TLSv1.3", "TLSv1.2"] as const)
  for (const near of ["a descriptor", "a wrapped stream"] as const) {
    const name = `${maxVersion} over ${near}`;

    test(`receiveSome() tells the peer's end from a cut, ${name}`, { skip }, async () => {
      for (const cut of [false, true]) {
        const { client, raw, server } = await cuttable(near, maxVersion);
        const bytes = pattern(300_000);
        const receiving = receiveAll(client);
        await server.sendAll(bytes);
        if (cut) await raw.closeWrite();
        else await server.closeWrite();
        const received = await receiving;
        assert.ok(received.bytes.equals(bytes));
        assert.equal(received.code, cut ? "ERR_TLS_TRUNCATED" : undefined);
        client.close();
        server.close();
      }
    });

    test(`receiveSome() fails with ERR_TLS_TRUNCATED inside a record, ${name}`, { skip }, async () => {
      const { client, raw, server } = await cuttable(near, maxVersion);
      await server.sendAll("whole");
      await raw.sendAll(Buffer.from([23, 3, 3, 0, 100, 1, 2, 3]));
      await raw.closeWrite();
      assert.deepEqual(await receiveAll(client), { bytes: Buffer.from("whole"), code: "ERR_TLS_TRUNCATED" });
      assert.equal(await codeOf(client.receiveSome()), "ERR_TLS_TRUNCATED");
      client.close();
      server.close();
    });

    test(`receiveSome() tells an end from a cut when all of it came before anybody received, ${name}`, {
      skip,
    }, async () => {
      for (const size of [10, 60_000, 64_000, 66_000, 200_000, 2_000_000])
        for (const cut of [false, true]) {
          const { client, raw, server } = await cuttable(near, maxVersion);
          const bytes = pattern(size);
          // More than is held, and what the kernel holds: the rest is sent when it is received.
          const sent = server.sendAll(bytes).then(() => (cut ? raw.closeWrite() : server.closeWrite()));
          // It waits until nothing moves any more.
          await stillWaits(new Promise(() => undefined));
          const first = await client.receiveSome(1);
          const received = await receiveAll(client);
          assert.ok(Buffer.concat([first, received.bytes]).equals(bytes));
          assert.equal(received.code, cut ? "ERR_TLS_TRUNCATED" : undefined);
          await sent;
          client.close();
          server.close();
        }
    });

    test(`close() is an end for the peer, and a cut while a send waits, ${name}`, { skip }, async () => {
      for (const busy of [false, true]) {
        const { client, server } = await cuttable(near, maxVersion);
        await client.sendAll("before");
        if (busy) client.sendAll(Buffer.alloc(64 << 20)).catch(() => undefined);
        client.close();
        const { code } = await receiveAll(server);
        if (busy) assert.match(String(code), /ERR_TLS_TRUNCATED|ECONNRESET/);
        else assert.equal(code, undefined);
        server.close();
      }
    });

    test(`receiveSome() fails with ERR_TLS_BAD_RECORD for a record that was changed, ${name}`, {
      skip,
    }, async () => {
      const { client, raw, server } = await cuttable(near, maxVersion);
      const telling = server.receiveSome();
      await raw.sendAll(Buffer.concat([Buffer.from([23, 3, 3, 0, 40]), Buffer.alloc(40, 7)]));
      assert.equal(await codeOf(client.receiveSome()), "ERR_TLS_BAD_RECORD");
      assert.equal(await codeOf(telling), "ERR_TLS_ALERT_BAD_RECORD_MAC");
      client.close();
      server.close();
    });
  }

for (const [what, begin] of Object.entries({
  "startTls()": (stream: ByteStream, handshakeTimeoutMs: number, signal?: AbortSignal) =>
    startTls(stream, clientOptions({ handshakeTimeoutMs, signal })),
  "acceptTls()": (stream: ByteStream, handshakeTimeoutMs: number, signal?: AbortSignal) =>
    acceptTls(stream, { ...certificates().server, handshakeTimeoutMs }, { signal }),
}))
  for (const over of ["a descriptor", "a wrapped stream"]) {
    const streams = async (): Promise<[ByteStream, ByteStream]> => {
      const [near, far] = await tcpStreams();
      return [over === "a descriptor" ? near : wrapped(near), far];
    };

    test(`${what} fails with ERR_TLS_HANDSHAKE_TIMEOUT when the peer says nothing, and closes, over ${over}`, {
      skip,
    }, async () => {
      const before = openSockets().length;
      const [near, far] = await streams();
      assert.equal(await codeOf(begin(near, 20)), "ERR_TLS_HANDSHAKE_TIMEOUT");
      const { code } = await receiveAll(far);
      assert.ok(code === undefined || code === "ECONNRESET");
      far.close();
      assert.equal(openSockets().length, before);
    });

    test(`${what} fails with ERR_TLS_HANDSHAKE_ENDED when the peer ends, over ${over}`, {
      skip,
    }, async () => {
      const [near, far] = await streams();
      const begun = begin(near, NEVER);
      await far.closeWrite();
      assert.equal(await codeOf(begun), "ERR_TLS_HANDSHAKE_ENDED");
      far.close();
    });

    test(`${what} rejects with the signal's reason, and closes, over ${over}`, { skip }, async () => {
      const before = openSockets().length;
      const [near, far] = await streams();
      const stop = new AbortController();
      const begun = begin(near, NEVER, stop.signal);
      await stillWaits(begun);
      const reason = new Error("enough");
      stop.abort(reason);
      assert.equal(await rejection(begun), reason);
      far.close();
      assert.equal(openSockets().length, before);
      const [another, its] = await streams();
      assert.equal(await rejection(begin(another, NEVER, AbortSignal.abort(reason))), reason);
      assert.equal(another.closed, false, "what has not begun is left alone");
      another.close();
      its.close();
    });
  }

test("handshake() resolves at once when it is over, and rejects with the reason of a signal", {
  skip,
}, async () => {
  await using pair = await tlsPair();
  await pair.client.handshake();
  const reason = new Error("not now");
  assert.equal(await rejection(pair.client.handshake({ signal: AbortSignal.abort(reason) })), reason);
});

/** Both ends of a conversation in the clear that comes to STARTTLS; `injected` stands behind the command or the answer. */
async function upgraded(
  streams: readonly [ByteStream, ByteStream],
  injected: { readonly client?: string; readonly server?: string } = {},
): Promise<[client: TlsStream, server: TlsStream]> {
  const [near, far] = streams;
  const [client, server] = [new BufferedReader(near), new BufferedReader(far)];
  const serving = (async () => {
    assert.equal(String(await server.readLine()), "STARTTLS");
    await far.sendAll(`220 go ahead\r\n${injected.server ?? ""}`);
    return await acceptTls(server, certificates().server);
  })();
  await near.sendAll(`STARTTLS\r\n${injected.client ?? ""}`);
  assert.equal(String(await client.readLine()), "220 go ahead");
  return await Promise.all([startTls(client, clientOptions()), serving]);
}

for (const [kind, streams] of Object.entries({ TCP: tcpStreams, memory: memoryStreams })) {
  test(`startTls() and acceptTls() take a BufferedReader, over ${kind}`, { skip }, async () => {
    const [client, server] = await upgraded(await streams());
    assert.deepEqual([client.discardedBytes, server.discardedBytes], [0, 0]);
    await client.sendAll("EHLO me\r\n");
    assert.equal((await server.receiveSome()).toString(), "EHLO me\r\n");
    client.close();
    server.close();
  });

  test(`startTls() and acceptTls() throw away what was injected in the clear, and count it, over ${kind}`, {
    skip,
  }, async () => {
    const injected = { client: "RSET\r\nMAIL FROM:<evil@example.test>\r\n", server: "250 ok\r\n" };
    const [client, server] = await upgraded(await streams(), injected);
    assert.equal(server.discardedBytes, injected.client.length);
    assert.equal(client.discardedBytes, injected.server.length);
    await client.sendAll("NOOP\r\n");
    assert.equal((await server.receiveSome()).toString(), "NOOP\r\n");
    client.close();
    server.close();
  });
}

test("acceptTls() takes what BufferedReader.handOver() gives as the client's hello", { skip }, async () => {
  const [near, far] = memoryPair();
  const reader = new BufferedReader(far);
  await near.sendAll("PROXY UNKNOWN\r\n");
  const starting = startTls(near, clientOptions());
  assert.equal(String(await reader.readLine()), "PROXY UNKNOWN");
  await reader.peek(100);
  const server = await acceptTls(reader.handOver(), certificates().server);
  const client = await starting;
  await server.sendAll("hello");
  assert.equal((await client.receiveSome()).toString(), "hello");
  client.close();
  server.close();
});

test("startTls() refuses a BufferedReader from which a read waits, and leaves it alone", {
  skip,
}, async () => {
  const [near, far] = memoryPair();
  const reader = new BufferedReader(near);
  const waiting = reader.readLine();
  assert.equal(await codeOf(startTls(reader, clientOptions())), "ERR_READ_WAITS");
  await far.sendAll("still here\r\n");
  assert.equal(String(await waiting), "still here");
});
