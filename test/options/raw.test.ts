// getsockopt and setsockopt in their raw shapes, as CPython has them, with CPython reading and setting the same socket.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import * as b from "berkeley";
import { requirePeer } from "../support/peers.ts";

const python3 = requirePeer("python3");

/** Runs Python with the socket as `sock`, the same open file as ours. */
function withPython(sock: b.Socket, program: string): string {
  const head = "import socket, struct\nfrom socket import *\nsock = socket(fileno=3)\n";
  return execFileSync(python3.path, ["-c", head + program], {
    stdio: ["ignore", "pipe", "inherit", sock.fileno()],
    encoding: "utf8",
  }).trim();
}

test("getsockopt() without a length reads an int, with one bytes, with 0 an int", () => {
  using sock = b.socket();
  assert.equal(sock.getsockopt(b.SOL_SOCKET, b.SO_TYPE), b.SOCK_STREAM);
  assert.equal(sock.getsockopt(b.SOL_SOCKET, b.SO_TYPE, 0), b.SOCK_STREAM);
  assert.deepEqual(sock.getsockopt(b.SOL_SOCKET, b.SO_TYPE, 4), Buffer.from(new Int32Array([1]).buffer));
  assert.deepEqual(sock.getsockopt(b.SOL_SOCKET, b.SO_LINGER, 100), Buffer.alloc(8));
  assert.equal(sock.getsockopt(b.SOL_SOCKET, b.SO_TYPE, 2).length, 2);
  for (const buflen of [-1, 65_537, 1.5])
    assert.throws(() => sock.getsockopt(b.SOL_SOCKET, b.SO_TYPE, buflen), { code: "ERR_OUT_OF_RANGE" });
});

test("setsockopt() takes numbers, booleans and any view, and CPython reads what it set", {
  skip: python3.skip,
}, () => {
  using sock = b.socket();
  sock.setsockopt(b.SOL_SOCKET, b.SO_KEEPALIVE, true);
  sock.setsockopt(b.IPPROTO_TCP, b.TCP_KEEPIDLE, 77);
  sock.setsockopt(b.SOL_SOCKET, b.SO_LINGER, new Int32Array([1, 9]));
  sock.setsockopt(b.IPPROTO_TCP, b.TCP_KEEPCNT, new DataView(new Uint32Array([0, 5]).buffer, 4));
  const read = `print(sock.getsockopt(SOL_SOCKET, SO_KEEPALIVE), sock.getsockopt(IPPROTO_TCP, TCP_KEEPIDLE),
sock.getsockopt(IPPROTO_TCP, TCP_KEEPCNT), struct.unpack("ii", sock.getsockopt(SOL_SOCKET, SO_LINGER, 8)))`;
  assert.equal(withPython(sock, read), "1 77 5 (1, 9)");
});

test("getsockopt() reads what CPython set", { skip: python3.skip }, () => {
  using sock = b.socket();
  withPython(
    sock,
    `sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
sock.setsockopt(SOL_SOCKET, SO_RCVTIMEO, struct.pack("ll", 3, 500000))
sock.setsockopt(IPPROTO_TCP, TCP_CONGESTION, b"reno")`,
  );
  assert.equal(sock.options.TCP_NODELAY, true);
  assert.equal(sock.options.SO_RCVTIMEO, 3.5);
  assert.equal(sock.options.TCP_CONGESTION, "reno");
  assert.equal(sock.getsockopt(b.IPPROTO_TCP, b.TCP_CONGESTION, 16).toString("latin1", 0, 5), "reno\0");
});

test("setsockopt() with null passes NULL and the length, and refuses the shapes that CPython refuses", () => {
  using sock = b.socket();
  // No option of TCP takes NULL: the kernel's EFAULT shows that NULL arrived, and EINVAL the length 0.
  assert.throws(() => sock.setsockopt(b.SOL_SOCKET, b.SO_KEEPALIVE, null, 4), { code: "EFAULT" });
  assert.throws(() => sock.setsockopt(b.SOL_SOCKET, b.SO_KEEPALIVE, null, 0), { code: "EINVAL" });
  const set = sock.setsockopt.bind(sock) as (...args: unknown[]) => void;
  assert.throws(() => set(b.SOL_SOCKET, b.SO_KEEPALIVE, null), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => set(b.SOL_SOCKET, b.SO_KEEPALIVE, 1, 4), { code: "ERR_INVALID_ARG_TYPE" });
  assert.throws(() => set(b.SOL_SOCKET, b.SO_KEEPALIVE, null, -1), { code: "ERR_OUT_OF_RANGE" });
  for (const value of ["1", undefined, {}, 1n, Number.NaN])
    assert.throws(() => set(b.SOL_SOCKET, b.SO_KEEPALIVE, value), /must be/);
  for (const value of [1.5, 2 ** 32, -(2 ** 31) - 1])
    assert.throws(() => set(b.SOL_SOCKET, b.SO_KEEPALIVE, value), { code: "ERR_OUT_OF_RANGE" });
});

test("getsockopt() and setsockopt() carry AF_VSOCK's own options in 8 bytes", (t) => {
  using sock = vsock(t);
  if (sock === undefined) return;
  sock.setsockopt(b.AF_VSOCK, b.SO_VM_SOCKETS_BUFFER_MAX_SIZE, 2 ** 33);
  assert.equal(sock.getsockopt(b.AF_VSOCK, b.SO_VM_SOCKETS_BUFFER_MAX_SIZE), 2 ** 33);
  assert.equal(sock.options.SO_VM_SOCKETS_BUFFER_MAX_SIZE, 2 ** 33);
  assert.equal(sock.getsockopt(b.SOL_SOCKET, b.SO_TYPE), b.SOCK_STREAM);
});

function vsock(t: { skip(reason: string): void }): b.Socket | undefined {
  try {
    return b.socket(b.AF_VSOCK, b.SOCK_STREAM);
  } catch (error) {
    assert.equal((error as b.SocketError).code, "EAFNOSUPPORT");
    t.skip("this kernel has no AF_VSOCK");
    return undefined;
  }
}

test("getsockopt(SO_GET_FILTER) never writes beyond its room, though the kernel counts instructions", () => {
  using sock = b.socket(b.AF_INET, b.SOCK_DGRAM);
  const pass = { code: 0x06, jt: 0, jf: 0, k: 0xffff };
  const program = Array.from({ length: 101 }, (_, at) => (at < 100 ? { code: 0, jt: 0, jf: 0, k: 7 } : pass));
  sock.options.SO_ATTACH_FILTER(program);
  // A room of 800 bytes is less than 101 instructions; counted as bytes it would be far more.
  assert.throws(() => sock.getsockopt(b.SOL_SOCKET, b.SO_GET_FILTER, 800), { code: "EINVAL" });
  assert.throws(() => sock.getsockopt(b.SOL_SOCKET, b.SO_GET_FILTER), { code: "EINVAL" });
  assert.equal(sock.getsockopt(b.SOL_SOCKET, b.SO_GET_FILTER, 808).length, 808);
  assert.equal(sock.getsockopt(b.SOL_SOCKET, b.SO_GET_FILTER, 65_536).length, 808);
});

test("getsockopt() and setsockopt() say the option's name, and EBADF when the socket is closed", () => {
  const sock = b.socket(b.AF_INET, b.SOCK_DGRAM);
  assert.throws(() => sock.setsockopt(b.IPPROTO_TCP, b.TCP_NODELAY, 1), {
    code: "ENOPROTOOPT",
    message: /^setsockopt ENOPROTOOPT: protocol not available \(.*\); option TCP_NODELAY$/,
  });
  assert.throws(() => sock.getsockopt(b.SOL_SOCKET, 9999), /^SocketError: getsockopt ENOPROTOOPT: .*\)$/);
  sock.close();
  assert.throws(() => sock.setsockopt(b.SOL_SOCKET, b.SO_KEEPALIVE, 1), { code: "EBADF" });
  assert.throws(() => sock.getsockopt(b.SOL_SOCKET, b.SO_KEEPALIVE), { code: "EBADF" });
  assert.throws(() => sock.options.SO_KEEPALIVE, { code: "EBADF" });
  assert.throws(() => sock.options.SO_ATTACH_FILTER([]), { code: "EBADF" });
});

test("setsockopt() refuses memory that was given away", () => {
  using sock = b.socket(b.AF_INET, b.SOCK_DGRAM);
  const memory = new ArrayBuffer(4);
  const value = new DataView(memory);
  structuredClone(memory, { transfer: [memory] });
  assert.throws(() => sock.setsockopt(b.SOL_SOCKET, b.SO_KEEPALIVE, value), { code: "ERR_INVALID_ARG_TYPE" });
});
