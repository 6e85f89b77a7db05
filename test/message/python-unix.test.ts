// CPython's Unix sockets at the other end, both ways: seqpacket, datagrams, abstract names, descriptors, credentials.

import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import {
  AF_UNIX,
  CMSG_SPACE,
  SCM_CREDENTIALS,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_PASSCRED,
  SO_PEERCRED,
  create_server,
  recv_fds,
  send_fds,
  socket,
} from "berkeley";
import type { UnixAddress } from "berkeley";
import { folder } from "../support/files.ts";
import { python, PYTHON } from "../support/python.ts";

const skip = PYTHON.skip;

for (const naming of ["a path", "an abstract name"]) {
  // The name as Python reads it: "@" stands for the NUL that no argument can hold.
  const named = (files: { path(name: string): string }): readonly [address: string, argument: string] => {
    const path = files.path("socket");
    return naming === "a path" ? [path, path] : [`\0${path}`, `@${path}`];
  };
  const ADDRESS = `address = sys.argv[1].replace("@", "\\0")\n`;

  for (const [kind, type] of Object.entries({ SOCK_STREAM, SOCK_SEQPACKET })) {
    test(`connect() reaches a CPython ${kind} server at ${naming}`, { skip }, async () => {
      using files = folder();
      const [address, argument] = named(files);
      await using peer = python(
        `${ADDRESS}
server = socket(AF_UNIX, ${kind})
server.bind(address)
server.listen()
say("ready")
conn, client = server.accept()
say("client", repr(client))
for number in range(3): conn.sendall(conn.recv(1024).upper())
assert conn.recv(1024) == b""`,
        [argument],
      );
      await peer.line(/^ready$/m);
      using sock = socket(AF_UNIX, type);
      await sock.connect(address);
      for (const word of ["one", "two", "three"]) {
        await sock.send(word);
        assert.equal((await sock.recv(64)).toString(), word.toUpperCase());
      }
      sock.close();
      await peer.succeeded();
      await peer.line(/^client ''$/m);
    });

    test(`accept() hears a CPython ${kind} client at ${naming}`, { skip }, async () => {
      using files = folder();
      const [address, argument] = named(files);
      using server = socket(AF_UNIX, type);
      server.bind(address);
      server.listen();
      await using peer = python(
        `${ADDRESS}
conn = socket(AF_UNIX, ${kind})
conn.connect(address)
say("server", repr(conn.getpeername()))
for word in (b"one", b"two", b"three"):
    conn.send(word)
    assert conn.recv(1024) == word.upper()
conn.close()`,
        [argument],
      );
      const [conn] = await server.accept<UnixAddress>();
      using mine = conn;
      for (;;) {
        const data = await mine.recv(64);
        if (data.length === 0) break;
        await mine.send(data.toString().toUpperCase());
      }
      await peer.succeeded();
    });
  }

  test(`sendto() and recvfrom() converse with a CPython datagram server at ${naming}`, { skip }, async () => {
    using files = folder();
    const [address, argument] = named(files);
    await using peer = python(
      `${ADDRESS}
server = socket(AF_UNIX, SOCK_DGRAM)
server.bind(address)
say("ready")
for number in range(3):
    data, client = server.recvfrom(1024)
    server.sendto(data.upper(), client)
say("client", repr(client))`,
      [argument],
    );
    await peer.line(/^ready$/m);
    using sock = socket(AF_UNIX, SOCK_DGRAM);
    sock.bind("");
    for (const word of ["one", "", "three"]) {
      await sock.sendto(word, address);
      const [data, from] = await sock.recvfrom<UnixAddress>(64);
      assert.equal(data.toString(), word.toUpperCase());
      assert.deepEqual(from, naming === "a path" ? address : Buffer.from(address));
    }
    const [, client] = await peer.line(/^client b'\\x00(\w+)'$/m);
    assert.equal(`\0${client}`, sock.getsockname<UnixAddress>().toString());
  });
}

test("recv_fds() receives what CPython's send_fds() sends", { skip }, async () => {
  using files = folder();
  writeFileSync(files.path("one"), "first file");
  writeFileSync(files.path("two"), "second file");
  using server = create_server(files.path("socket"), { family: AF_UNIX });
  await using peer = python(
    `
conn = socket(AF_UNIX)
conn.connect(sys.argv[1])
files = [open(path) for path in sys.argv[2:]]
assert send_fds(conn, [b"two ", b"files"], [file.fileno() for file in files]) == 9
conn.close()`,
    ["socket", "one", "two"].map((name) => files.path(name)),
  );
  const [conn] = await server.accept();
  using mine = conn;
  const [msg, fds] = await recv_fds(mine, 64, 2);
  assert.equal(msg.toString(), "two files");
  assert.deepEqual(
    fds.map((fd) => readFileSync(fd, "utf8")),
    ["first file", "second file"],
  );
  for (const fd of fds) closeSync(fd);
  assert.deepEqual((await recv_fds(mine, 64, 2)).slice(0, 2), [Buffer.alloc(0), []]);
  await peer.succeeded();
});

test("CPython's recv_fds() receives what send_fds() sends", { skip }, async () => {
  using files = folder();
  writeFileSync(files.path("one"), "first file");
  using server = create_server(files.path("socket"), { family: AF_UNIX });
  await using peer = python(
    `
conn = socket(AF_UNIX)
conn.connect(sys.argv[1])
msg, fds, flags, address = recv_fds(conn, 64, 4)
say("got", msg.decode(), len(fds), os.read(fds[0], 64).decode(), flags & MSG_CTRUNC)`.replace(
      "\n",
      "\nimport os\n",
    ),
    [files.path("socket")],
  );
  const [conn] = await server.accept();
  using mine = conn;
  const fd = openSync(files.path("one"), "r");
  await send_fds(mine, ["here"], [fd]);
  closeSync(fd);
  await peer.line(/^got here 1 first file 0$/m);
});

test("recvmsg() tells the credentials of a CPython sender, and SO_PEERCRED those of a peer", {
  skip,
}, async () => {
  using files = folder();
  using server = create_server(files.path("socket"), { family: AF_UNIX });
  await using peer = python(
    `
import os
conn = socket(AF_UNIX)
conn.connect(sys.argv[1])
say("ids", os.getpid(), os.getuid(), os.getgid())
conn.recv(1)
conn.sendmsg([b"explicit"], [(SOL_SOCKET, SCM_CREDENTIALS, struct.pack("3i", os.getpid(), os.getuid(), os.getgid()))])
conn.recv(1)`,
    [files.path("socket")],
  );
  const [conn] = await server.accept();
  using mine = conn;
  const ids = ((await peer.line(/^ids (.*)$/m))[1] as string).split(" ").map(Number);
  mine.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
  await mine.send("g");
  const [data, [item]] = await mine.recvmsg(64, CMSG_SPACE(12));
  assert.equal(data.toString(), "explicit");
  const [level, type, ucred] = item as [number, number, Buffer];
  assert.deepEqual([level, type], [SOL_SOCKET, SCM_CREDENTIALS]);
  const words = (bytes: Buffer): number[] => [0, 4, 8].map((at) => bytes.readInt32LE(at));
  assert.deepEqual(words(ucred), ids);
  assert.deepEqual(words(mine.getsockopt(SOL_SOCKET, SO_PEERCRED, 12)), ids);
  await mine.send("x");
  await peer.succeeded();
});

test("CPython sees the credentials that sendmsg() sends", { skip }, async () => {
  using files = folder();
  using server = create_server(files.path("socket"), { family: AF_UNIX });
  await using peer = python(
    `
conn = socket(AF_UNIX)
conn.setsockopt(SOL_SOCKET, SO_PASSCRED, 1)
conn.connect(sys.argv[1])
say("ready")
data, ancdata, flags, address = conn.recvmsg(64, CMSG_SPACE(12))
say("pid", struct.unpack("3i", ancdata[0][2])[0])`,
    [files.path("socket")],
  );
  const [conn] = await server.accept();
  using mine = conn;
  await peer.line(/^ready$/m);
  const own = Uint32Array.of(process.pid, process.getuid?.() ?? 0, process.getgid?.() ?? 0);
  await mine.sendmsg(["x"], [[SOL_SOCKET, SCM_CREDENTIALS, own]]);
  await peer.line(new RegExp(`^pid ${process.pid}$`, "m"));
});
