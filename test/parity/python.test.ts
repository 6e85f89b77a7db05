// Every kind of socket with CPython at the other end, in both directions and both faces: who listens and who comes, names and
// numbers of both ends, descriptors and credentials that travel.

import assert from "node:assert/strict";
import { closeSync, mkdtempSync, readSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  CMSG_SPACE,
  IPPROTO_MPTCP,
  IPPROTO_UDPLITE,
  MSG_PEEK,
  SCM_CREDENTIALS,
  SCM_RIGHTS,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_PASSCRED,
} from "berkeley";
import type { AnyAddress, Socket } from "berkeley";
import { FACES, faceTest } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";
import { missing } from "../support/kinds.ts";
import { PYTHON, python } from "../support/python.ts";
import type { Child } from "../support/process.ts";

const folder = mkdtempSync(join(tmpdir(), "berkeley-parity-"));
after(() => rmSync(folder, { recursive: true }));
let number = 0;
const path = (): string => join(folder, `s${number++}`);
const abstract = (): Buffer => Buffer.from(`\0berkeley-parity-${process.pid}-${number++}`);

type Kind = [family: number, type: number, proto: number, name: () => AnyAddress];
const KINDS: Readonly<Record<string, Kind>> = {
  "TCP over IPv4": [AF_INET, SOCK_STREAM, 0, () => ["127.0.0.1", 0]],
  "TCP over IPv6": [AF_INET6, SOCK_STREAM, 0, () => ["::1", 0]],
  MPTCP: [AF_INET, SOCK_STREAM, IPPROTO_MPTCP, () => ["127.0.0.1", 0]],
  "UDP over IPv4": [AF_INET, SOCK_DGRAM, 0, () => ["127.0.0.1", 0]],
  "UDP over IPv6": [AF_INET6, SOCK_DGRAM, 0, () => ["::1", 0]],
  "UDP-Lite over IPv4": [AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, () => ["127.0.0.1", 0]],
  "UDP-Lite over IPv6": [AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE, () => ["::1", 0]],
  "Unix stream by path": [AF_UNIX, SOCK_STREAM, 0, path],
  "Unix stream by abstract name": [AF_UNIX, SOCK_STREAM, 0, abstract],
  "Unix seqpacket by path": [AF_UNIX, SOCK_SEQPACKET, 0, path],
  "Unix seqpacket by abstract name": [AF_UNIX, SOCK_SEQPACKET, 0, abstract],
  "Unix datagram by path": [AF_UNIX, SOCK_DGRAM, 0, path],
  "Unix datagram by abstract name": [AF_UNIX, SOCK_DGRAM, 0, abstract],
};

/** Addresses as JSON: bytes in hex. */
const PROGRAM = `
import json, os
def name_of(told):
    if isinstance(told, dict): return bytes.fromhex(told["hex"])
    return tuple(told) if isinstance(told, list) else told
def tell(name): say(json.dumps({"hex": name.hex()} if isinstance(name, bytes) else name))
family, kind, proto = map(int, sys.argv[1:4])
s = socket(family, kind, proto)
`;
const toJson = (name: AnyAddress): string =>
  JSON.stringify(Buffer.isBuffer(name) ? { hex: name.toString("hex") } : name);
function fromJson(text: string): AnyAddress {
  const name = JSON.parse(text) as { hex: string } | AnyAddress;
  return typeof name === "object" && name !== null && "hex" in name ? Buffer.from(name.hex, "hex") : name;
}

/** The name that the program tells. */
async function told(child: Child): Promise<AnyAddress> {
  return fromJson((await child.line(/^(["[{].*)$/m))[1] as string);
}

/** A socket of this kind at a name of its own; one that listens where that is the way. */
function bound(face: Face, [family, type, proto, name]: Kind): Socket {
  const sock = face.socket(family, type, proto);
  sock.bind(name());
  if (type !== SOCK_DGRAM) sock.listen(1);
  sock.settimeout(30);
  return sock;
}

for (const [kind, shape] of Object.entries(KINDS)) {
  const [family, type, proto, name] = shape;
  const skip = PYTHON.skip || missing(FACES["berkeley"] as Face, kind);

  faceTest(
    `CPython comes to ours, is answered, and sees the names that we see (${kind})`,
    async (face) => {
      using server = bound(face, shape);
      const mine = server.getsockname<AnyAddress>();
      await using peer = python(
        `${PROGRAM}
name = name_of(json.loads(sys.argv[4]))
if family == AF_UNIX: s.bind("")
s.connect(name)
assert s.getpeername() == name, s.getpeername()
s.send(b"from CPython")
assert s.recv(100) == b"from berkeley"
tell(s.getsockname())`,
        [family, type, proto, toJson(mine)],
      );
      const [conn, address] =
        type === SOCK_DGRAM
          ? [server, (await server.recvfrom<AnyAddress>(100, MSG_PEEK))[1]]
          : await server.accept<AnyAddress>();
      using talking = conn;
      talking.settimeout(30);
      assert.equal((await talking.recv(100)).toString(), "from CPython");
      if (type === SOCK_DGRAM) await talking.sendto("from berkeley", address);
      else await talking.sendall("from berkeley");
      assert.deepEqual(address, await told(peer));
      await peer.succeeded();
    },
    { skip },
  );

  faceTest(
    `ours comes to CPython, is answered, and sees the names that it sees (${kind})`,
    async (face) => {
      await using peer = python(
        `${PROGRAM}
s.bind(name_of(json.loads(sys.argv[4])))
if kind != SOCK_DGRAM: s.listen(1)
tell(s.getsockname())
conn, address = (s, s.recvfrom(100, MSG_PEEK)[1]) if kind == SOCK_DGRAM else s.accept()
assert conn.recv(100) == b"from berkeley"
conn.sendto(b"from CPython", address) if kind == SOCK_DGRAM else conn.sendall(b"from CPython")
assert address == name_of(json.loads(sys.stdin.readline())), address`,
        [family, type, proto, toJson(name())],
      );
      const theirs = await told(peer);
      using sock = face.socket(family, type, proto);
      if (family === AF_UNIX) sock.bind("");
      sock.settimeout(30);
      await sock.connect(theirs);
      assert.deepEqual(sock.getpeername<AnyAddress>(), theirs);
      await sock.send("from berkeley");
      assert.equal((await sock.recv(100)).toString(), "from CPython");
      peer.stdin.end(`${toJson(sock.getsockname<AnyAddress>())}\n`);
      await peer.succeeded();
    },
    { skip },
  );
}

for (const [kind, type] of Object.entries({
  stream: SOCK_STREAM,
  datagram: SOCK_DGRAM,
  seqpacket: SOCK_SEQPACKET,
})) {
  const shape: Kind = [AF_UNIX, type, 0, abstract];

  faceTest(
    `descriptors and credentials go to CPython and come from it (Unix ${kind})`,
    async (face) => {
      const file = join(folder, `file${number++}`);
      writeFileSync(file, "ours, theirs");
      using server = bound(face, shape);
      server.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
      await using peer = python(
        `${PROGRAM}
s.bind("")
s.connect(name_of(json.loads(sys.argv[4])))
fd = os.open(sys.argv[5], os.O_RDONLY)
send_fds(s, [b"from CPython"], [fd])
message, fds, flags, _ = recv_fds(s, 100, 3)
assert (message, len(fds), flags & MSG_CTRUNC) == (b"from berkeley", 2, 0), (message, fds, flags)
assert [os.pread(fd, 4, 0) for fd in fds] == [b"ours", b"ours"]
say("done")`,
        [...shape.slice(0, 3).map(String), toJson(server.getsockname<AnyAddress>()), file],
      );
      using conn = type === SOCK_DGRAM ? server.dup() : (await server.accept())[0];
      conn.setsockopt(SOL_SOCKET, SO_PASSCRED, 1);
      conn.settimeout(30);
      const [message, ancdata, , address] = await conn.recvmsg<AnyAddress>(
        100,
        CMSG_SPACE(12) + CMSG_SPACE(4),
      );
      assert.equal(message.toString(), "from CPython");
      const credentials = ancdata.find((item) => item[0] === SOL_SOCKET && item[1] === SCM_CREDENTIALS)?.[2];
      assert.equal(credentials?.readInt32LE(0), peer.pid);
      assert.equal(credentials.readUInt32LE(4), process.getuid?.());
      const rights = ancdata.find((item) => item[0] === SOL_SOCKET && item[1] === SCM_RIGHTS)?.[2];
      const [fd] = [rights?.readInt32LE(0) as number];
      const read = Buffer.alloc(6);
      readSync(fd, read, 0, 6, 6);
      assert.equal(read.toString(), "theirs");
      await face.send_fds(conn, ["from berkeley"], [fd, fd], 0, type === SOCK_DGRAM ? address : null);
      closeSync(fd);
      await peer.line(/^done$/m);
      await peer.succeeded();
    },
    { skip: PYTHON.skip },
  );
}
