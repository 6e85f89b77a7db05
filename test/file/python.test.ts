// makefile() here and socket.makefile() in CPython at the other end, both ways.

import assert from "node:assert/strict";
import { test } from "node:test";
import { create_connection } from "berkeley";
import type { ErrorsMode, Newline } from "berkeley";
import { listenAt } from "../support/berkeley-tcp.ts";
import { portOf, python, PYTHON } from "../support/python.ts";

const skip = PYTHON.skip;

const LINES = ["first line\n", "grüße, Welt\n", "\n", "€ and 𝄞\n", `${"long ".repeat(9000)}\n`, "no end"];

test("a file of text reads what CPython's writes, and CPython's what it answers", { skip }, async () => {
  await using peer = python(
    `
server = listen_at("127.0.0.1")
conn, address = server.accept()
file = conn.makefile("rw", encoding="utf-8")
for line in eval(sys.argv[1]): file.write(line)
file.flush()
conn.shutdown(SHUT_WR)
say("got", file.read() == "".join(eval(sys.argv[1])).upper())
file.close(); conn.close()`,
    [JSON.stringify(LINES)],
  );
  using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
  await using file = conn.makefile("rw");
  conn.close();
  const lines: string[] = [];
  for await (const line of file) {
    lines.push(line);
    await file.write(line.toUpperCase());
  }
  assert.deepEqual(lines, LINES);
  await file.close();
  assert.match((await peer.succeeded()).stdout.toString(), /^got True$/m);
});

const VARIANTS: [encoding: string, errors: ErrorsMode, newline: Newline][] = [
  ["utf-8", "strict", null],
  ["utf-8", "surrogateescape", ""],
  ["utf-16-le", "strict", "\r\n"],
  ["latin-1", "replace", "\n"],
  ["latin-1", "xmlcharrefreplace", "\r"],
  ["ascii", "backslashreplace", null],
  ["cp1251", "ignore", ""],
];

for (const [encoding, errors, newline] of VARIANTS) {
  const how = `encoding ${encoding}, errors "${errors}" and newline ${JSON.stringify(newline)}`;
  const texts = ["grüße €\n", "Привет\r\n", "one\rtwo\n\n", "𝄞\n", "end"];
  const settings = JSON.stringify({ encoding, errors, newline }).replace(":null", ":None");

  test(`a file of text writes as CPython's does with ${how}`, { skip }, async () => {
    await using peer = python(
      `
import io
server = listen_at("127.0.0.1")
conn, address = server.accept()
expected = io.BytesIO()
file = io.TextIOWrapper(expected, **eval(sys.argv[1]))
file.write("".join(eval(sys.argv[2]))); file.flush()
got = read_to_end(conn)
assert got == expected.getvalue(), (got, expected.getvalue())`,
      [settings, JSON.stringify(texts)],
    );
    using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
    await using file = conn.makefile("w", { encoding, errors, newline });
    for (const text of texts) await file.write(text);
    await file.close();
    conn.close();
    await peer.succeeded();
  });

  if (errors === "xmlcharrefreplace" || (encoding === "cp1251" && errors !== "ignore")) continue;
  test(`a file of text reads as CPython's does with ${how}`, { skip }, async () => {
    using listener = listenAt();
    await using peer = python(
      `
import io, json
raw = b"plain\\r\\nbytes \\xe4\\xf6 and \\xc3\\xbc\\r" + "€ 𝄞\\n".encode(${encoding.startsWith("utf-16") ? `"utf-16-le"` : `"utf-8"`}) + b"last \\r\\n\\n"
if "16" in sys.argv[2]: raw = raw.decode("latin-1").encode("utf-16-le")
conn = create_connection(("127.0.0.1", int(sys.argv[1])))
for at in range(0, len(raw), 3): conn.sendall(raw[at:at + 3])
conn.shutdown(SHUT_WR)
try: say("lines", json.dumps(io.TextIOWrapper(io.BytesIO(raw), **eval(sys.argv[2])).readlines()))
except UnicodeDecodeError as error: say("fault", error.start)
conn.recv(1)`,
      [listener.port, settings],
    );
    using conn = await listener.accept();
    const file = conn.makefile("r", { encoding, errors, newline });
    let told: string;
    try {
      told = `lines ${JSON.stringify(await file.readlines())}`;
    } catch (error) {
      told = `fault ${(error as { position: number }).position}`;
    }
    const [, expected] = await peer.line(/^((?:lines|fault) .*)$/m);
    const canonical = (line: string): string =>
      line.startsWith("lines") ? `lines ${JSON.stringify(JSON.parse(line.slice(6)))}` : line;
    assert.equal(canonical(told), canonical(expected as string));
    await file.close();
  });
}

test("a buffered file exchanges exact counts with CPython's in both directions at once", {
  skip,
}, async () => {
  using listener = listenAt();
  await using peer = python(
    `
conn = create_connection(("127.0.0.1", int(sys.argv[1])))
file = conn.makefile("rwb")
for size in (1, 10, 8191, 8192, 8193, 100000):
    file.write(size.to_bytes(4, "big") + bytes([size % 251]) * size); file.flush()
    length = int.from_bytes(file.read(4), "big")
    assert file.read(length) == bytes([(size + 1) % 251]) * length, size
file.close(); conn.close()`,
    [listener.port],
  );
  using conn = await listener.accept();
  await using file = conn.makefile("rwb");
  for (;;) {
    const head = await file.read(4);
    if (head.length === 0) break;
    const size = head.readUInt32BE();
    assert.ok((await file.read(size)).equals(Buffer.alloc(size, size % 251)));
    await file.writelines([head, Buffer.alloc(size, (size + 1) % 251)]);
    await file.flush();
  }
  await peer.succeeded();
});

test("an unbuffered file and CPython's pass one connection from files to the sockets and back", {
  skip,
}, async () => {
  await using peer = python(`
server = listen_at("127.0.0.1")
conn, address = server.accept()
file = conn.makefile("rwb", buffering=0)
assert file.readline() == b"HELLO there\\n"
assert conn.recv(5, MSG_WAITALL) == b"plain"
file.write(b"220 go\\nbinary")
assert file.read(3) == b"end"
conn.close(); file.close()`);
  using conn = await create_connection(["127.0.0.1", await portOf(peer)]);
  await using file = conn.makefile("rwb", { buffering: 0 });
  await file.write("HELLO there\nplain");
  assert.equal((await file.readline()).toString(), "220 go\n");
  assert.equal((await conn.recv(6)).toString(), "binary");
  await file.write("end");
  assert.equal((await file.read()).length, 0);
  await peer.succeeded();
});
