// makefile() in both faces, in each buffering and in text: reading in every way, writing, and who holds the socket open.

import assert from "node:assert/strict";
import { test } from "node:test";
import { AF_UNIX, SHUT_WR, SOCK_DGRAM, SocketIO } from "berkeley";
import type { Socket } from "berkeley";
import { FACES, anything, codeOf, failure } from "../support/faces.ts";
import { STREAMS } from "../support/kinds.ts";
import type { Ends } from "../support/kinds.ts";

const MESSAGE = "Michael Gilfix was here\r\nand there\n\nend";
const LINES = ["Michael Gilfix was here\r\n", "and there\n", "\n", "end"];

/** What every file has. */
interface File extends AsyncDisposable {
  readonly closed: boolean;
  readonly mode: string;
  fileno(): number;
  readable(): boolean;
  writable(): boolean;
  read(n?: number): Promise<Buffer | string>;
  readline(limit?: number): Promise<Buffer | string>;
  readlines(hint?: number): Promise<(Buffer | string)[]>;
  write(data: string): Promise<number>;
  writelines?(lines: string[]): Promise<void>;
  flush(): Promise<void>;
  close(): Promise<void>;
}

type Mode = "r" | "w" | "rw";
const KINDS: Readonly<Record<string, (sock: Socket, mode: Mode) => File>> = {
  "without a buffer": (sock, mode) => sock.makefile(`${mode}b`, { buffering: 0 }),
  buffered: (sock, mode) => sock.makefile(`${mode}b`),
  "with a buffer of 1": (sock, mode) => sock.makefile(`${mode}b`, { buffering: 1 }),
  "with a buffer of 2": (sock, mode) => sock.makefile(`${mode}b`, { buffering: 2 }),
  "of text": (sock, mode) => sock.makefile(mode, { newline: "" }),
  "of text with a buffer of 2": (sock, mode) => sock.makefile(mode, { newline: "", buffering: 2 }),
};

const joined = (parts: readonly (Buffer | string)[]): string => parts.map(String).join("");

async function writeEnd(sock: Socket, text = MESSAGE): Promise<void> {
  await sock.sendall(text);
  sock.shutdown(SHUT_WR);
}

const TESTS: Readonly<
  Record<string, (ends: Ends, open: (sock: Socket, mode: Mode) => File) => Promise<void>>
> = {
  "read(n) and read(m) give a message in two parts": async ({ a, b }, open) => {
    const file = open(b, "r");
    await a.sendall(MESSAGE);
    assert.equal(joined([await file.read(MESSAGE.length - 3), await file.read(3)]), MESSAGE);
    await file.close();
  },
  "read() gives all until the end": async ({ a, b }, open) => {
    const file = open(b, "r");
    await writeEnd(a);
    assert.equal(String(await file.read()), MESSAGE);
    assert.equal((await file.read()).length, 0);
    assert.equal((await file.read(5)).length, 0);
    await file.close();
  },
  "read(-1) is read()": async ({ a, b }, open) => {
    const file = open(b, "r");
    await writeEnd(a);
    assert.equal(String(await file.read(-1)), MESSAGE);
    await file.close();
  },
  "read(0) gives nothing and takes nothing": async ({ a, b }, open) => {
    const file = open(b, "r");
    await writeEnd(a);
    assert.equal((await file.read(0)).length, 0);
    assert.equal(String(await file.read(7)), "Michael");
    await file.close();
  },
  "read(1) goes through all of it": async ({ a, b }, open) => {
    const file = open(b, "r");
    await writeEnd(a);
    const parts: (Buffer | string)[] = [];
    for (let part = await file.read(1); part.length > 0; part = await file.read(1)) parts.push(part);
    assert.deepEqual([joined(parts), parts.length], [MESSAGE, MESSAGE.length]);
    await file.close();
  },
  "readline() gives the lines, the last without an end, then nothing": async ({ a, b }, open) => {
    const file = open(b, "r");
    await writeEnd(a);
    const lines: string[] = [];
    for (let line = String(await file.readline()); line !== ""; line = String(await file.readline()))
      lines.push(line);
    assert.deepEqual(lines, LINES);
    assert.equal((await file.readline()).length, 0);
    await file.close();
  },
  "readline(limit) gives at most so much, and the rest of the line to the next": async ({ a, b }, open) => {
    const file = open(b, "r");
    await writeEnd(a);
    const parts = [
      await file.readline(7),
      await file.readline(0),
      await file.readline(100),
      await file.readline(9),
    ];
    assert.deepEqual(parts.map(String), ["Michael", "", " Gilfix was here\r\n", "and there"]);
    assert.equal(String(await file.readline()), "\n");
    await file.close();
  },
  "read() after readline() goes on behind the line": async ({ a, b }, open) => {
    const file = open(b, "r");
    await writeEnd(a);
    assert.equal(String(await file.readline()), LINES[0]);
    assert.equal(String(await file.read(4)), "and ");
    assert.equal(String(await file.readline()), "there\n");
    assert.equal(String(await file.read()), "\nend");
    await file.close();
  },
  "readlines() gives all lines; with a hint no more than are needed": async ({ a, b }, open) => {
    const file = open(b, "r");
    await writeEnd(a);
    assert.deepEqual((await file.readlines(5)).map(String), LINES.slice(0, 1));
    assert.deepEqual((await file.readlines()).map(String), LINES.slice(1));
    assert.deepEqual(await file.readlines(), []);
    await file.close();
  },
  "write() and flush() bring the peer what another file reads": async ({ a, b }, open) => {
    const [writer, reader] = [open(a, "w"), open(b, "r")];
    for (const line of LINES) assert.equal(await writer.write(line), line.length);
    await writer.flush();
    assert.equal(String(await reader.read(MESSAGE.length)), MESSAGE);
    await writer.close();
    await reader.close();
  },
  "close() brings the peer what was held back": async ({ a, b }, open) => {
    const writer = open(a, "w");
    await writer.write("held");
    await writer.close();
    assert.equal((await b.recv(100)).toString(), "held");
  },
  "write() refuses what is neither text nor bytes": async ({ a }, open) => {
    const writer = open(a, "w");
    for (const wrong of [5, null, undefined, {}, ["x"]])
      assert.equal(await codeOf(() => writer.write(anything(wrong))), "ERR_INVALID_ARG_TYPE");
    await writer.close();
  },
  "one file reads and writes, each in its direction": async ({ a, b }, open) => {
    const [one, other] = [open(a, "rw"), open(b, "rw")];
    await one.write("question\n");
    await one.flush();
    assert.equal(String(await other.readline()), "question\n");
    await other.write("answer\n");
    await other.flush();
    assert.equal(String(await one.readline()), "answer\n");
    await one.close();
    await other.close();
  },
  "it tells mode, descriptor, directions and whether it is closed": async ({ a }, open) => {
    for (const [mode, reads, writes] of [
      ["r", true, false],
      ["w", false, true],
      ["rw", true, true],
    ] as const) {
      const file = open(a, mode);
      assert.match(file.mode, new RegExp(`^${mode}b?$`));
      assert.deepEqual([file.readable(), file.writable(), file.closed], [reads, writes, false]);
      assert.equal(file.fileno(), a.fileno());
      await file.close();
      assert.equal(file.closed, true);
      await file.close();
      assert.equal(file.fileno(), -1);
    }
  },
  "reading and writing after close() is refused": async ({ a }, open) => {
    const file = open(a, "rw");
    await file.close();
    for (const call of [
      () => file.read(1),
      () => file.readline(),
      () => file.readlines(),
      () => file.write("x"),
      () => file.flush(),
    ])
      assert.equal(await codeOf(call), "ERR_FILE_CLOSED", call.toString());
  },
  "a file keeps its socket open when that is closed first": async ({ a, b }, open) => {
    const [reader, writer] = [open(b, "r"), open(a, "w")];
    const fd = a.fileno();
    a.close();
    b.close();
    assert.equal(a.fileno(), fd);
    await writer.write(MESSAGE);
    await writer.flush();
    assert.equal(String(await reader.read(MESSAGE.length)), MESSAGE);
    await writer.close();
    assert.equal(a.fileno(), -1);
    assert.equal((await reader.read(1)).length, 0);
    await reader.close();
    assert.equal(b.fileno(), -1);
  },
  "the last of several files closes the socket": async ({ a, b }, open) => {
    const files = [open(a, "r"), open(a, "w"), open(a, "rw")];
    a.close();
    for (const file of files) {
      assert.ok(a.fileno() >= 0);
      await file.close();
    }
    assert.equal(a.fileno(), -1);
    assert.equal((await b.recv(1)).length, 0);
  },
  "close() leaves a socket open that is not closed, for another file": async ({ a, b }, open) => {
    const first = open(b, "r");
    await a.sendall("one\n");
    assert.equal(String(await first.readline()), "one\n");
    await first.close();
    await a.sendall("two\n");
    const second = open(b, "r");
    assert.equal(String(await second.readline()), "two\n");
    await second.close();
    assert.ok(b.fileno() >= 0);
  },
  "a read that runs out of time is a TimeoutError, and so is every one after it": async ({ a, b }, open) => {
    b.settimeout(0.01);
    const file = open(b, "r");
    assert.equal((await failure(() => file.read(3))).name, "TimeoutError");
    await a.sendall("late");
    assert.match((await failure(() => file.read(3))).message, /timed out/);
    assert.equal((await b.recv(10)).toString(), "late");
    await file.close();
  },
  "a read of a socket that does not block says EAGAIN and loses nothing": async ({ a, b }, open) => {
    b.setblocking(false);
    const file = open(b, "r");
    assert.equal(await codeOf(() => file.read(5)), "EAGAIN");
    await a.sendall("lat");
    if ("readall" in file)
      assert.equal(String(await file.read(5)), "lat"); // one receive
    else {
      assert.equal(await codeOf(() => file.read(5)), "EAGAIN");
      await a.sendall("er");
      assert.equal(String(await file.read(5)), "later");
    }
    await file.close();
  },
  "it is disposed of by using, and flushes": async ({ a, b }, open) => {
    {
      await using file = open(a, "w");
      await file.write("gone");
    }
    assert.equal((await b.recv(10)).toString(), "gone");
  },
};

for (const [title, face] of Object.entries(FACES))
  for (const [kind, open] of Object.entries(KINDS))
    for (const [name, body] of Object.entries(TESTS))
      test(`a file ${kind}: ${name} (${title})`, async () => {
        using ends = await (STREAMS["Unix stream"] as (typeof STREAMS)[string])(face);
        await body(ends, open);
      });

for (const [title, face] of Object.entries(FACES)) {
  test(`makefile() refuses what is no mode, and leaves the socket as it was (${title})`, async () => {
    const [a, b] = face.socketpair();
    for (const [mode, code] of [
      ["rt", "ERR_OUT_OF_RANGE"],
      ["a", "ERR_OUT_OF_RANGE"],
      ["rw+", "ERR_OUT_OF_RANGE"],
      [5, "ERR_INVALID_ARG_TYPE"],
      [null, "ERR_INVALID_ARG_TYPE"],
    ] as const)
      assert.equal(await codeOf(() => a.makefile(anything(mode))), code);
    assert.equal(await codeOf(() => a.makefile("r", { buffering: 0 })), "ERR_OUT_OF_RANGE");
    assert.equal(await codeOf(() => a.makefile("r", { encoding: "no-such" })), "ERR_OUT_OF_RANGE");
    a.close();
    assert.equal((await b.recv(1)).length, 0, "no file holds it");
    b.close();
  });

  test(`SocketIO is the class of files without buffers (${title})`, async () => {
    const [a, b] = face.socketpair();
    const [raw, buffered] = [a.makefile("rb", { buffering: 0 }), a.makefile("rb")];
    assert.ok(raw instanceof face.SocketIO);
    assert.ok(!((buffered as unknown) instanceof face.SocketIO));
    assert.equal(face.SocketIO === SocketIO, title === "berkeley");
    for (const file of [raw, buffered]) await file.close();
    a.close();
    b.close();
  });

  test(`readinto() of a file without buffers is one receive (${title})`, async () => {
    const [a, b] = face.socketpair();
    await using file = b.makefile("rb", { buffering: 0 });
    await a.sendall("12345");
    const room = Buffer.alloc(8, ".");
    assert.equal(await file.readinto(room), 5);
    assert.equal(room.toString(), "12345...");
    a.close();
    assert.equal(await file.readinto(room), 0);
    b.close();
  });

  test(`a file over datagrams reads one after the other (${title})`, async () => {
    const [a, b] = face.socketpair(AF_UNIX, SOCK_DGRAM);
    await a.send("one\n");
    await a.send("two\nthree");
    await using file = b.makefile("r");
    assert.equal(await file.readline(), "one\n");
    assert.equal(await file.readline(), "two\n");
    assert.equal(await file.read(5), "three");
    a.close();
    b.close();
  });

  for (const encoding of ["utf-8", "latin1", "utf-16le"])
    test(`a file of text reads and writes ${encoding} (${title})`, async () => {
      const [a, b] = face.socketpair();
      {
        await using writer = a.makefile("w", { encoding });
        await using reader = b.makefile("r", { encoding });
        await writer.write("grüße\nzweite\n");
        await writer.flush();
        assert.equal(await reader.readline(), "grüße\n");
        assert.equal(await reader.readline(), "zweite\n");
      }
      a.close();
      b.close();
    });
}
