// Families that many kernels are built without: each against CPython or node:crypto where this kernel has it; where it has
// not, the test says so, and socket() does. Documentation/networking/can.rst, isotp.rst, j1939.rst,
// Documentation/crypto/userspace-if.rst, vsock(7).

import assert from "node:assert/strict";
import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as b from "berkeley";
import type { VsockAddress } from "berkeley";
import * as blocking from "berkeley/sync";
import { algAncillary } from "#dist/socket/alg.js";
import { network, NETWORK_SKIP } from "../support/namespace.ts";
import { PYTHON, python } from "../support/python.ts";
import { token } from "../support/raw.ts";

/** Why a test with such a socket does not run here, or `false`: what socket() says. */
function lacking([family, type, proto]: readonly [number, number, number]): string | false {
  try {
    b.socket(family, type, proto).close();
    return false;
  } catch (error) {
    return (error as Error).message;
  }
}

const FAMILIES = {
  AF_ALG: [b.AF_ALG, b.SOCK_SEQPACKET, 0],
  AF_BLUETOOTH: [b.AF_BLUETOOTH, b.SOCK_RAW, b.BTPROTO_HCI],
  AF_CAN: [b.AF_CAN, b.SOCK_RAW, b.CAN_RAW],
  AF_QIPCRTR: [b.AF_QIPCRTR, b.SOCK_DGRAM, 0],
  AF_RDS: [b.AF_RDS, b.SOCK_SEQPACKET, 0],
  AF_TIPC: [b.AF_TIPC, b.SOCK_RDM, 0],
  AF_VSOCK: [b.AF_VSOCK, b.SOCK_STREAM, 0],
} as const;

for (const [name, kind] of Object.entries(FAMILIES))
  test(`socket() of ${name} opens, or says that the kernel has none`, () => {
    const said = lacking(kind);
    if (said !== false)
      assert.equal(
        said,
        `socket EAFNOSUPPORT: address family not supported by protocol; this kernel has no ${name}, or its module is not loaded`,
      );
  });

test("socket() of a family without a name says EAFNOSUPPORT and no more", () => {
  assert.throws(() => b.socket(12_345), {
    code: "EAFNOSUPPORT",
    message: "socket EAFNOSUPPORT: address family not supported by protocol",
  });
});

const noVsock = lacking(FAMILIES.AF_VSOCK);

test("a vsock listener gets a port from the kernel, as CPython's does", {
  skip: noVsock || PYTHON.skip,
}, async () => {
  using sock = b.socket(b.AF_VSOCK, b.SOCK_STREAM);
  sock.bind([b.VMADDR_CID_ANY, b.VMADDR_PORT_ANY]);
  sock.listen();
  const [cid, port] = sock.getsockname<VsockAddress>();
  assert.equal(cid, b.VMADDR_CID_ANY);
  assert.ok(port > 1023);
  await using peer = python(
    `
s = socket(AF_VSOCK, SOCK_STREAM)
try: s.bind((VMADDR_CID_ANY, int(sys.argv[1])))
except OSError as e: say(e.errno)`,
    [port],
  );
  assert.equal((await peer.succeeded()).stdout.toString(), `${b.EADDRINUSE}\n`);
});

/** vsock(7): an address of VMADDR_CID_LOCAL can be bound only where there is a loopback. */
function lackingLoopback(): string | false {
  if (noVsock !== false) return noVsock;
  using sock = b.socket(b.AF_VSOCK, b.SOCK_STREAM);
  try {
    sock.bind([b.VMADDR_CID_LOCAL, b.VMADDR_PORT_ANY]);
    return false;
  } catch {
    return "this kernel has no loopback for AF_VSOCK (CONFIG_VSOCKETS_LOOPBACK)";
  }
}
const noLoopback = lackingLoopback() || PYTHON.skip;

test("vsock connections to this machine carry bytes between ours and CPython, both ways", {
  skip: noLoopback,
}, async () => {
  using listener = b.socket(b.AF_VSOCK, b.SOCK_STREAM);
  listener.bind([b.VMADDR_CID_LOCAL, b.VMADDR_PORT_ANY]);
  listener.listen();
  await using peer = python(
    `
c = socket(AF_VSOCK, SOCK_STREAM)
c.connect((1, int(sys.argv[1])))
c.sendall(b"from CPython")
assert c.recv(100) == b"from us"
s = socket(AF_VSOCK, SOCK_STREAM)
s.bind((1, VMADDR_PORT_ANY))
s.listen()
say("port", s.getsockname()[1])
conn, address = s.accept()
conn.sendall(read_to_end(conn).upper())`,
    [listener.getsockname<VsockAddress>()[1]],
  );
  const [conn, from] = await listener.accept<VsockAddress>();
  assert.equal(from[0], b.VMADDR_CID_LOCAL);
  assert.equal((await conn.recv(100)).toString(), "from CPython");
  await conn.sendall("from us");
  const [, port] = await peer.line(/^port (\d+)$/m);
  using sock = b.socket(b.AF_VSOCK, b.SOCK_STREAM);
  await sock.connect([b.VMADDR_CID_LOCAL, Number(port)]);
  assert.deepEqual(sock.getpeername(), [b.VMADDR_CID_LOCAL, Number(port)]);
  await sock.sendall("turn me round");
  sock.shutdown(b.SHUT_WR);
  assert.equal((await sock.recv(100)).toString(), "TURN ME ROUND");
  conn.close();
});

/** Sends a message to itself and has CPython answer it, in each family that carries messages inside of one machine. */
const MESSAGES: Readonly<
  Record<string, { readonly kind: readonly [number, number, number]; readonly python: string }>
> = {
  AF_QIPCRTR: {
    kind: FAMILIES.AF_QIPCRTR,
    python: "s = socket(AF_QIPCRTR, SOCK_DGRAM); s.bind((s.getsockname()[0], 0x4bee))",
  },
  AF_RDS: {
    kind: FAMILIES.AF_RDS,
    python: 's = socket(AF_RDS, SOCK_SEQPACKET); s.bind(("127.0.0.1", 4097))',
  },
  AF_TIPC: {
    kind: FAMILIES.AF_TIPC,
    python: "s = socket(AF_TIPC, SOCK_RDM); s.bind((TIPC_ADDR_NAMESEQ, 65000, 1, 9, TIPC_NODE_SCOPE))",
  },
};
const THEIRS: Readonly<Record<string, (sock: b.Socket) => b.AnyAddress>> = {
  AF_QIPCRTR: (sock) => [sock.getsockname<b.QrtrAddress>()[0], 0x4bee],
  AF_RDS: (sock) => {
    sock.bind(["127.0.0.1", 4098]);
    return ["127.0.0.1", 4097];
  },
  AF_TIPC: () => [b.TIPC_ADDR_NAME, 65_000, 5, 0],
};

for (const [name, { kind, python: program }] of Object.entries(MESSAGES))
  test(`messages go to CPython and back: ${name}`, { skip: lacking(kind) || PYTHON.skip }, async () => {
    await using peer = python(`${program}
say("ready")
for turn in range(2):
    data, sender = s.recvfrom(1000)
    s.sendto(data.upper(), sender)`);
    await peer.line(/^ready$/m);
    const [family, type] = kind;
    using sock = b.socket(family, type);
    const to = (THEIRS[name] as (typeof THEIRS)[string])(sock);
    await sock.sendto("one", to);
    assert.equal((await sock.recvfrom(100))[0].toString(), "ONE");
    await sock.sendmsg(["t", "wo"], [], 0, to);
    const [answer, , flags] = await sock.recvmsg<b.AnyAddress>(100);
    assert.equal(answer.toString(), "TWO");
    assert.equal(flags & b.MSG_TRUNC, 0);
  });

const noCan = lacking(FAMILIES.AF_CAN) || NETWORK_SKIP || PYTHON.skip;
const CAN_CHILD = fileURLToPath(new URL("can-child.js", import.meta.url));
const CAN_SETUP = "ip link add dev vcan0 type vcan; ip link set vcan0 up";
const CAN_PYTHON = `
import struct, sys
from socket import *
def say(*words): print(*words, flush=True)
`;

/** Each protocol of CAN: what ours is told to do, and CPython's side of it. `came` is what both must tell. */
const CAN_PROTOCOLS: Readonly<
  Record<string, { readonly kind: readonly [number, number, number]; readonly python: string }>
> = {
  raw: {
    kind: [b.AF_CAN, b.SOCK_RAW, b.CAN_RAW],
    // The first frame is not for ours: its filter has another identifier.
    python: `
s = socket(AF_CAN, SOCK_RAW, CAN_RAW)
s.bind(("vcan0",))
for id, data in ((0x456, b"not this"), (0x123, b"question")):
    s.send(struct.pack("=IB3x8s", id, len(data), data))
frame = s.recv(16)
id, size, data = struct.unpack("=IB3x8s", frame)
say("came", hex(id), data[:size].decode())`,
  },
  isotp: {
    kind: [b.AF_CAN, b.SOCK_DGRAM, b.CAN_ISOTP],
    python: `
s = socket(AF_CAN, SOCK_DGRAM, CAN_ISOTP)
s.bind(("vcan0", 0x321, 0x123))
s.send(b"question" * 100)
say("came", "0x321", s.recv(4096).decode())`,
  },
  j1939: {
    kind: [b.AF_CAN, b.SOCK_DGRAM, b.CAN_J1939],
    python: `
s = socket(AF_CAN, SOCK_DGRAM, CAN_J1939)
s.bind(("vcan0", J1939_NO_NAME, J1939_NO_PGN, 0x20))
s.sendto(b"question" * 100, ("vcan0", J1939_NO_NAME, 0x12300, 0x30))
data, (name, _, pgn, address) = s.recvfrom(4096)
say("came", hex(address), data.decode())`,
  },
};

for (const [name, { kind, python: program }] of Object.entries(CAN_PROTOCOLS))
  test(`CAN messages go to CPython and back: ${name}`, {
    skip: noCan || lacking(kind),
  }, async () => {
    await using where = await network(CAN_SETUP);
    await using child = where.start(process.execPath, [CAN_CHILD, name]);
    await child.line(/^ready$/m);
    await using peer = where.start(PYTHON.path, ["-c", CAN_PYTHON + program]);
    const size = name === "raw" ? 1 : 100;
    const told = JSON.parse((await child.line(/^came (.*)$/m))[1] as string) as unknown;
    const expected: Readonly<Record<string, unknown>> = {
      raw: { id: 0x123, data: "question", address: ["vcan0"] },
      isotp: { data: "question".repeat(size), address: null },
      // The kernel does not tell the interface there.
      j1939: { data: "question".repeat(size), address: ["", "0", 0x12300, 0x20] },
    };
    assert.deepEqual(told, expected[name]);
    const [, from, answer] = await peer.line(/^came (\S+) (\S+)$/m);
    assert.deepEqual([from, answer], [name === "j1939" ? "0x30" : "0x321", "answer".repeat(size)]);
    await child.succeeded();
  });

const noAlg = lacking(FAMILIES.AF_ALG);

/** A socket of an algorithm, to send to and to receive from. */
async function algorithm(type: string, name: string, key?: Uint8Array): Promise<b.Socket> {
  using sock = b.socket(b.AF_ALG, b.SOCK_SEQPACKET);
  sock.bind([type, name]);
  if (key !== undefined) sock.options.ALG_SET_KEY(key);
  const [operation, address] = await sock.accept();
  assert.equal(address, null);
  return operation;
}

test("AF_ALG hashes as node:crypto does, in pieces with MSG_MORE too", { skip: noAlg }, async () => {
  const data = randomBytes(10_000);
  using hash = await algorithm("hash", "sha256");
  await hash.sendall(data.subarray(0, 3000), b.MSG_MORE);
  await hash.sendall(data.subarray(3000));
  assert.deepEqual(await hash.recv(64), createHash("sha256").update(data).digest());
  const key = token();
  using mac = await algorithm("hash", "hmac(sha256)", key);
  await mac.sendall(data);
  assert.deepEqual(await mac.recv(64), createHmac("sha256", key).update(data).digest());
});

test("sendmsg_afalg() encrypts and decrypts as node:crypto does", { skip: noAlg }, async () => {
  const [key, iv, data] = [token(), token(), randomBytes(4096)];
  const cipher = createCipheriv("aes-128-cbc", key, iv).setAutoPadding(false);
  const expected = Buffer.concat([cipher.update(data), cipher.final()]);
  using sock = await algorithm("skcipher", "cbc(aes)", key);
  assert.equal(
    await sock.sendmsg_afalg([data.subarray(0, 1000), data.subarray(1000)], { op: b.ALG_OP_ENCRYPT, iv }),
    4096,
  );
  const encrypted = await sock.recv(4096);
  assert.deepEqual(encrypted, expected);
  await sock.sendmsg_afalg([encrypted], { op: b.ALG_OP_DECRYPT, iv });
  assert.deepEqual(await sock.recv(4096), data);
  await assert.rejects(sock.sendmsg_afalg([data], { op: b.ALG_OP_ENCRYPT, iv: iv.subarray(1) }), {
    code: "EINVAL",
  });
});

test("sendmsg_afalg() of berkeley/sync authenticates associated data as node:crypto does", {
  skip: noAlg,
}, () => {
  const [key, iv, associated, data] = [token(), randomBytes(12), randomBytes(20), randomBytes(100)];
  const cipher = createCipheriv("aes-128-gcm", key, iv).setAAD(associated);
  const expected = Buffer.concat([associated, cipher.update(data), cipher.final(), cipher.getAuthTag()]);
  using sock = blocking.socket(b.AF_ALG, b.SOCK_SEQPACKET);
  sock.bind(["aead", "gcm(aes)"]);
  sock.options.ALG_SET_KEY(key);
  sock.options.ALG_SET_AEAD_AUTHSIZE(16);
  const [operation] = sock.accept();
  using made = operation;
  made.sendmsg_afalg([associated, data], { op: b.ALG_OP_ENCRYPT, iv, assoclen: 20 });
  assert.deepEqual(made.recv(1000), expected);
});

test("a hash of ours is the one that CPython's socket gives", { skip: noAlg || PYTHON.skip }, async () => {
  const data = token();
  await using peer = python(
    `
s = socket(AF_ALG, SOCK_SEQPACKET)
s.bind(("skcipher", "cbc(aes)"))
s.setsockopt(SOL_ALG, ALG_SET_KEY, b"k" * 16)
op, _ = s.accept()
op.sendmsg_afalg([bytes.fromhex(sys.argv[1])], op=ALG_OP_ENCRYPT, iv=b"i" * 16)
say(op.recv(16).hex())`,
    [data.toString("hex")],
  );
  using sock = await algorithm("skcipher", "cbc(aes)", Buffer.alloc(16, "k"));
  await sock.sendmsg_afalg([data], { op: b.ALG_OP_ENCRYPT, iv: Buffer.alloc(16, "i") });
  assert.equal((await peer.succeeded()).stdout.toString().trim(), (await sock.recv(16)).toString("hex"));
});

test("sendmsg_afalg()'s control messages are as linux/if_alg.h has them", () => {
  const word = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
  const plain = (options: Parameters<typeof algAncillary>[0]): unknown =>
    algAncillary(options).map(([level, type, data]) => [level, type, Buffer.from(data as Uint8Array)]);
  assert.deepEqual(plain({ op: b.ALG_OP_ENCRYPT }), [[b.SOL_ALG, b.ALG_SET_OP, word(b.ALG_OP_ENCRYPT)]]);
  assert.deepEqual(plain({ op: b.ALG_OP_DECRYPT, iv: Buffer.from("12345"), assoclen: 7 }), [
    [b.SOL_ALG, b.ALG_SET_OP, word(b.ALG_OP_DECRYPT)],
    [b.SOL_ALG, b.ALG_SET_IV, Buffer.concat([word(5), Buffer.from("12345")])],
    [b.SOL_ALG, b.ALG_SET_AEAD_ASSOCLEN, word(7)],
  ]);
});

test("sendmsg_afalg() refuses another family with EOPNOTSUPP, and wrong options by their names", async () => {
  using udp = b.socket(b.AF_INET, b.SOCK_DGRAM);
  await assert.rejects(udp.sendmsg_afalg(["x"], { op: 0 }), {
    code: "EOPNOTSUPP",
    message: "sendmsg EOPNOTSUPP: this is for sockets of AF_ALG",
  });
  // A socket that says of itself what it is not, to get past the family.
  const pair = b.socketpair();
  using sock = b.socket(b.AF_ALG, b.SOCK_SEQPACKET, 0, { fileno: pair[0].detach() });
  using other = pair[1];
  const wrong: [options: unknown, message: RegExp][] = [
    [undefined, /^options must be an object with op/],
    [{}, /^options\.op must be a number/],
    [{ op: -1 }, /^options\.op must be a whole number/],
    [{ op: 0, iv: "text" }, /^options\.iv must be an ArrayBufferView/],
    [{ op: 0, iv: new Uint8Array(4097) }, /^options\.iv must be at most 4096/],
    [{ op: 0, assoclen: 1.5 }, /^options\.assoclen/],
    [{ op: 0, flags: "MSG_MORE" }, /^flags/],
  ];
  for (const [options, message] of wrong)
    await assert.rejects(sock.sendmsg_afalg(["x"], options as b.AlgOptions), { message });
  const reason = new Error("not now");
  await assert.rejects(sock.sendmsg_afalg(["x"], { op: 0, signal: AbortSignal.abort(reason) }), reason);
  // To a Unix socket other levels' control messages are nothing: the bytes arrive.
  assert.equal(await sock.sendmsg_afalg(["by", "tes"], { op: b.ALG_OP_ENCRYPT, iv: new Uint8Array(16) }), 5);
  assert.equal((await other.recv(10)).toString(), "bytes");
});
