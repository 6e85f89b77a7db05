// Names of Unix sockets in both faces: paths as text and as bytes, such that are no UTF-8, names that are no paths, names that
// the system picks, none at all; their greatest lengths. Each also as CPython writes and reads it.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { AF_UNIX, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } from "berkeley";
import type { Socket, UnixAddress } from "berkeley";
import { anything, codeOf, faceTest } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";
import { PYTHON, python } from "../support/python.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-unix-"));
after(() => rmSync(folder, { recursive: true }));
let number = 0;
const path = (): string => join(folder, `s${number++}`);
const TYPES = { stream: SOCK_STREAM, datagram: SOCK_DGRAM, seqpacket: SOCK_SEQPACKET };
const nameOf = (sock: Socket): UnixAddress => sock.getsockname<UnixAddress>();

/** Binds a socket of each kind, gives its name to another, and has that reach it. */
async function reach(face: Face, type: number, name: UnixAddress): Promise<UnixAddress> {
  using server = face.socket(AF_UNIX, type);
  server.bind(name);
  const told = nameOf(server);
  if (type !== SOCK_DGRAM) server.listen(1);
  using client = face.socket(AF_UNIX, type);
  await client.connect(told);
  assert.deepEqual(client.getpeername<UnixAddress>(), told);
  await client.send("hello");
  if (type === SOCK_DGRAM) {
    assert.deepEqual(await server.recvfrom(10), [Buffer.from("hello"), ""]);
    return told;
  }
  const [conn, address] = await server.accept<UnixAddress>();
  assert.equal(address, "");
  assert.deepEqual(nameOf(conn), told);
  assert.equal((await conn.recv(10)).toString(), "hello");
  conn.close();
  return told;
}

for (const [kind, type] of Object.entries(TYPES)) {
  faceTest(`a path as text comes back as it is, and is reached (${kind})`, async (face) => {
    const name = path();
    assert.equal(await reach(face, type, name), name);
  });

  faceTest(`a path as bytes comes back as text (${kind})`, async (face) => {
    const name = path();
    assert.equal(await reach(face, type, Buffer.from(name)), name);
  });

  faceTest(`a path with letters of many bytes comes back as it is (${kind})`, async (face) => {
    const name = `${path()}-grüße-日本`;
    assert.equal(await reach(face, type, name), name);
  });

  faceTest(`a path that is no UTF-8 comes back as bytes (${kind})`, async (face) => {
    const name = Buffer.concat([Buffer.from(path()), Buffer.of(0x80, 0xff, 0x61)]);
    assert.deepEqual(await reach(face, type, name), name);
  });

  faceTest(`a name that is no path comes back as bytes, however it was given (${kind})`, async (face) => {
    const text = `\0berkeley-${process.pid}-${number++}`;
    assert.deepEqual(await reach(face, type, text), Buffer.from(text));
    assert.deepEqual(await reach(face, type, Buffer.from(text)), Buffer.from(text));
  });

  faceTest(`a name that is no path may have NULs, and bytes of every value (${kind})`, async (face) => {
    const name = Buffer.concat([
      Buffer.from(`\0b${process.pid}-${number++}`),
      Buffer.of(0, 1, 0xff, 0, 0x80),
    ]);
    assert.deepEqual(await reach(face, type, name), name);
  });

  faceTest(`bind("") has the system pick a name that is no path (${kind})`, async (face) => {
    const name = (await reach(face, type, "")) as Buffer;
    assert.ok(Buffer.isBuffer(name));
    assert.equal(name[0], 0);
    assert.equal(name.length, 6, "NUL and five digits: unix(7)");
    using one = face.socket(AF_UNIX, type);
    using other = face.socket(AF_UNIX, type);
    one.bind("");
    other.bind("");
    assert.notDeepEqual(nameOf(one), nameOf(other));
  });

  faceTest(`a name may be 108 bytes with its NUL, and no more (${kind})`, async (face) => {
    const name = Buffer.from(`\0${"h".repeat(107)}`);
    assert.deepEqual(await reach(face, type, name), name);
    using sock = face.socket(AF_UNIX, type);
    assert.equal(await codeOf(() => sock.bind(`\0${"h".repeat(108)}`)), "ENAMETOOLONG");
    assert.equal(await codeOf(() => sock.connect(`\0${"h".repeat(108)}`)), "ENAMETOOLONG");
  });

  faceTest(`a path may be 107 bytes, and no more (${kind})`, async (face) => {
    const longest = join(folder, `${number++}-`).padEnd(107, "p");
    assert.equal(await reach(face, type, longest), longest);
    using sock = face.socket(AF_UNIX, type);
    assert.equal(await codeOf(() => sock.bind(`${longest}pp`)), "ENAMETOOLONG");
  });

  faceTest(`a socket without a name has "", and so has its peer (${kind})`, (face) => {
    using sock = face.socket(AF_UNIX, type);
    assert.equal(nameOf(sock), "");
    const [a, b] = face.socketpair(AF_UNIX, type);
    for (const each of [a, b]) assert.deepEqual([nameOf(each), each.getpeername<UnixAddress>()], ["", ""]);
    a.close();
    b.close();
  });

  faceTest(`bind() refuses what is no name, and a name that is taken (${kind})`, async (face) => {
    using sock = face.socket(AF_UNIX, type);
    for (const wrong of [undefined, null, 5, ["127.0.0.1", 80], {}])
      assert.equal(await codeOf(() => sock.bind(anything(wrong))), "ERR_INVALID_ARG_TYPE");
    const name = path();
    sock.bind(name);
    using other = face.socket(AF_UNIX, type);
    assert.equal(await codeOf(() => other.bind(name)), "EADDRINUSE");
    assert.equal(await codeOf(() => other.bind(join(folder, "no", "such", "folder"))), "ENOENT");
    assert.equal(await codeOf(() => other.connect(join(folder, "nobody"))), "ENOENT");
  });

  faceTest(
    `CPython tells the same names, and reaches them (${kind})`,
    async (face) => {
      const names: UnixAddress[] = [
        path(),
        Buffer.concat([Buffer.from(path()), Buffer.of(0xe9, 0x80)]),
        Buffer.from(`\0berkeley-py-${process.pid}-${number++}`),
      ];
      const socks = names.map((name) => {
        const sock = face.socket(AF_UNIX, type);
        sock.bind(name);
        if (type !== SOCK_DGRAM) sock.listen(1);
        sock.settimeout(20);
        return sock;
      });
      await using peer = python(
        `
import os
for name in map(bytes.fromhex, sys.argv[2:]):
    s = socket(AF_UNIX, int(sys.argv[1]))
    s.connect(name)
    told = s.getpeername()
    assert (told if isinstance(told, bytes) else os.fsencode(told)) == name, told
    s.send(b"from CPython")`,
        [type, ...names.map((name) => Buffer.from(name as Buffer).toString("hex"))],
      );
      await peer.succeeded();
      for (const sock of socks) {
        const conn = type === SOCK_DGRAM ? sock : (await sock.accept())[0];
        assert.equal((await conn.recv(100)).toString(), "from CPython");
        conn.close();
        sock.close();
      }
    },
    { skip: PYTHON.skip },
  );
}
