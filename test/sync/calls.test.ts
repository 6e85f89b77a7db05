// Every call that blocks, with CPython at the other end, both ways. While such a call blocks, this process does nothing
// else: the peer was started before, and talks with it over the socket alone.

import assert from "node:assert/strict";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import * as socket from "berkeley/sync";
import type { AddressInfo } from "berkeley";
import { PYTHON, portOf, python } from "../support/python.ts";

const { skip } = PYTHON;
const folder = mkdtempSync(join(tmpdir(), "berkeley-sync-"));
after(() => rmSync(folder, { recursive: true }));

/** More than any socket's buffers hold. */
const MUCH = 20_000_000;

test("connect(), sendall(), recv() and shutdown() talk with a CPython server", { skip }, async () => {
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, _ = server.accept()
conn.sendall(read_to_end(conn)[::-1])
conn.close()`);
  using client = socket.socket();
  client.connect(["127.0.0.1", await portOf(peer)]);
  client.sendall("hello, ");
  client.sendall(Buffer.from("world"));
  client.shutdown(socket.SHUT_WR);
  let received = "";
  for (let data = client.recv(4); data.length > 0; data = client.recv(4)) received += data.toString();
  assert.equal(received, "dlrow ,olleh");
});

test("accept() and iteration pull CPython's connections one by one", { skip }, async () => {
  using server = socket.create_server(["127.0.0.1", 0]);
  await using peer = python(
    `
for n in range(4):
    with create_connection(("127.0.0.1", int(sys.argv[1]))) as s:
        s.sendall(b"%d" % n)
        assert s.recv(10) == b"got %d" % n, n`,
    [server.getsockname()[1]],
  );
  const [first, address] = server.accept();
  assert.equal(address[0], "127.0.0.1");
  first.sendall(`got ${first.recv(10).toString()}`);
  first.close();
  let count = 1;
  for (const [conn] of server) {
    conn.sendall(`got ${conn.recv(10).toString()}`);
    conn.close();
    if (++count === 4) break;
  }
  assert.equal(server.closed, false, "breaking out of the loop leaves the listener open");
  await peer.succeeded();
});

test("iteration ends when the listener is closed", () => {
  const server = socket.create_server(["127.0.0.1", 0]);
  const [host, port] = server.getsockname();
  using client = socket.create_connection([host, port]);
  let count = 0;
  for (const [conn] of server) {
    assert.deepEqual(conn.getpeername(), client.getsockname());
    conn.close();
    server.close();
    count++;
  }
  assert.equal(count, 1);
});

test("sendall() sends, and recv_into() receives, more than the buffers hold", { skip }, async () => {
  await using peer = python(
    `
server = listen_at("127.0.0.1")
conn, _ = server.accept()
data = read_to_end(conn)
say(len(data), hashlib.sha256(data).hexdigest() == hashlib.sha256(bytes(range(256)) * (${MUCH} // 256)).hexdigest())
conn, _ = server.accept()
conn.sendall(bytes(range(256)) * (${MUCH} // 256))
conn.close()`,
  );
  const pattern = Buffer.alloc(
    MUCH,
    Uint8Array.from({ length: 256 }, (_, byte) => byte),
  );
  const address: [string, number] = ["127.0.0.1", await portOf(peer)];
  const progress = { bytes: 0 };
  using sender = socket.create_connection(address);
  sender.sendall(pattern, 0, { progress });
  sender.shutdown(socket.SHUT_WR);
  assert.equal(progress.bytes, MUCH);
  using receiver = socket.create_connection(address);
  const whole = Buffer.alloc(MUCH);
  for (let filled = 0; filled < MUCH; ) {
    const bytes = receiver.recv_into(whole.subarray(filled));
    assert.ok(bytes > 0);
    filled += bytes;
  }
  assert.ok(whole.equals(pattern));
  assert.equal(receiver.recv(1).length, 0);
  await peer.line(new RegExp(`^${MUCH} True$`, "m"));
});

test("recvfrom(), recvfrom_into() and sendto() exchange datagrams with CPython", { skip }, async () => {
  await using peer = python(`
s = socket(AF_INET, SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
say("port", s.getsockname()[1])
for n in range(3):
    data, address = s.recvfrom(100)
    s.sendto(b"<" + data + b">", address)`);
  const address: [string, number] = ["127.0.0.1", await portOf(peer)];
  using sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);
  assert.equal(sock.sendto("one", address), 3);
  const [data, from] = sock.recvfrom(100);
  assert.deepEqual([data.toString(), from], ["<one>", address]);
  sock.sendto("", address);
  const into = Buffer.alloc(10);
  assert.deepEqual(sock.recvfrom_into(into), [2, address]);
  assert.equal(into.toString("latin1", 0, 2), "<>");
  sock.connect(address);
  sock.send("three");
  assert.equal(sock.recv(100).toString(), "<three>");
});

test("sendmsg(), recvmsg(), recvmsg_into(), send_fds() and recv_fds() talk with CPython", {
  skip,
}, async () => {
  const path = join(folder, "control");
  using server = socket.create_server(path, { family: socket.AF_UNIX });
  await using peer = python(
    `
import os
s = socket(AF_UNIX, SOCK_STREAM)
s.connect(sys.argv[1])
data, fds, flags, _ = recv_fds(s, 100, 2)
assert data == b"here", data
os.write(fds[0], b"written by CPython")
r, w = os.pipe()
send_fds(s, [b"and", b" back"], [r])
os.write(w, b"through the pipe")
os.close(w)
assert s.recv(100) == b"gathered"
s.sendmsg([b"scattered"])
s.close()`,
    [path],
  );
  const [conn] = server.accept<string>();
  writeFileSync(join(folder, "file"), "");
  const fd = openSync(join(folder, "file"), "w+");
  assert.equal(socket.send_fds(conn, ["here"], [fd]), 4);
  const [msg, fds] = socket.recv_fds(conn, 100, 4);
  assert.deepEqual([msg.toString(), fds.length], ["and back", 1]);
  const [pipe] = fds as [number];
  assert.equal(readFileSync(pipe, "latin1"), "through the pipe");
  socket.close(pipe);
  assert.equal(conn.sendmsg(["gath", "ered"]), 8);
  const parts = [Buffer.alloc(4), Buffer.alloc(10)];
  const [count] = conn.recvmsg_into(parts);
  assert.deepEqual([count, Buffer.concat(parts).toString("latin1", 0, 9)], [9, "scattered"]);
  const [end, control, flags] = conn.recvmsg(10);
  assert.deepEqual([end.length, control, flags], [0, [], 0]);
  assert.equal(readFileSync(join(folder, "file"), "latin1"), "written by CPython");
  closeSync(fd);
  conn.close();
  await peer.succeeded();
});

test("makefile() reads and writes lines with CPython", { skip }, async () => {
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, _ = server.accept()
with conn.makefile("rw", encoding="utf-8", newline="\\n") as f:
    for line in iter(f.readline, "end\\n"):
        f.write(line.upper())
        f.flush()`);
  using client = socket.create_connection(["127.0.0.1", await portOf(peer)]);
  using text = client.makefile("rw", { encoding: "utf-8", newline: "\n" });
  for (const line of ["one\n", "größe\n"]) {
    text.write(line);
    text.flush();
    assert.equal(text.readline(), line.toUpperCase());
  }
  text.write("end\n");
  text.flush();
  assert.deepEqual([...text], []);
});

test("sendfile() sends a file that is larger than the buffers to CPython", { skip }, async () => {
  const path = join(folder, "large");
  writeFileSync(path, Buffer.alloc(5_000_000, "berkeley "));
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, _ = server.accept()
data = read_to_end(conn)
say("got", len(data), data == (b"berkeley " * 600_000)[3:5_000_000])`);
  using client = socket.create_connection(["127.0.0.1", await portOf(peer)]);
  assert.equal(client.sendfile(path, 3), 4_999_997);
  client.close();
  await peer.line(/^got 4999997 True$/m);
});

test("socketpair() makes pairs of each kind", () => {
  for (const type of [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET]) {
    const [a, b] = socket.socketpair(socket.AF_UNIX, type);
    assert.equal(a.type, type);
    a.send("over");
    assert.equal(b.recv(10).toString(), "over");
    b.send("and back");
    assert.equal(a.recv(3).toString(), "and");
    b.close();
    if (type === socket.SOCK_STREAM) assert.equal(a.recv(100).toString(), " back");
    assert.equal(type === socket.SOCK_DGRAM || a.recv(1).length === 0, true, "an end, where there is one");
    a.close();
  }
});

test("getaddrinfo() and its kin answer at once", () => {
  const found: AddressInfo[] = socket.getaddrinfo("127.0.0.1", "80", { type: socket.SOCK_STREAM });
  assert.deepEqual(found, [[socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ["127.0.0.1", 80]]]);
  assert.equal(socket.gethostbyname("127.0.0.1"), "127.0.0.1");
  assert.deepEqual(socket.getnameinfo(["127.0.0.1", 80], socket.NI_NUMERICHOST | socket.NI_NUMERICSERV), [
    "127.0.0.1",
    "80",
  ]);
  assert.throws(() => socket.getaddrinfo("127.0.0.1", "no-such-service"), {
    name: "AddressError",
    code: "EAI_SERVICE",
  });
  assert.throws(() => socket.create_connection(["no such host.invalid", 1]), socket.gaierror);
});

test("create_connection() tries every address, and says which way it failed", () => {
  const gone = socket.create_server(["127.0.0.1", 0]);
  const [, port] = gone.getsockname();
  gone.close();
  assert.throws(() => socket.create_connection(["127.0.0.1", port]), {
    name: "SocketError",
    code: "ECONNREFUSED",
    syscall: "connect",
  });
  assert.throws(() => socket.create_connection(["127.0.0.1", port], { all_errors: true }), AggregateError);
  assert.throws(() => socket.create_connection("127.0.0.1" as never), { code: "ERR_INVALID_ARG_TYPE" });
  using server = socket.create_server(["127.0.0.1", 0]);
  using client = socket.create_connection(["127.0.0.1", server.getsockname()[1]], {
    timeout: 3,
    source_address: ["127.0.0.1", 0],
  });
  assert.equal(client.gettimeout(), 3);
});

test("calls on a closed socket fail with EBADF", () => {
  const [a, b] = socket.socketpair();
  b.close();
  a.close();
  a.close();
  for (const call of [
    () => a.recv(1),
    () => a.recv(0),
    () => a.send("x"),
    () => a.sendall("x"),
    () => a.accept(),
    () => a.connect("x"),
    () => a.recvfrom(1),
    () => a.recvmsg(1),
    () => a.sendmsg(["x"]),
    () => a.makefile(),
    () => a.dup(),
  ])
    assert.throws(call, { name: "SocketError", code: "EBADF" });
});

test("sendall() says how many bytes went before the peer reset the connection", () => {
  using server = socket.create_server(["127.0.0.1", 0]);
  using client = socket.create_connection(["127.0.0.1", server.getsockname()[1]]);
  const [conn] = server.accept();
  conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
  conn.close();
  assert.throws(
    () => {
      for (;;) client.sendall(Buffer.alloc(1_000_000));
    },
    (error: socket.SocketError) => {
      assert.match(error.code, /^(?:ECONNRESET|EPIPE)$/);
      assert.equal(error.syscall, "sendall");
      assert.equal(typeof error.bytesSent, "number");
      return true;
    },
  );
});
