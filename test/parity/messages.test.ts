// sendmsg, recvmsg and recvmsg_into over everything that has them, in both faces: pieces, iterables, lengths, flags, ends,
// refusals. What travels beside the bytes is in ancillary.test.ts and rights.test.ts.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CMSG_SPACE,
  MSG_CTRUNC,
  MSG_DONTWAIT,
  MSG_EOR,
  MSG_PEEK,
  MSG_TRUNC,
  SHUT_WR,
  SOCK_STREAM,
} from "berkeley";
import type { Ancillary, AnyAddress, Data, ReceivedAncillary, Socket } from "berkeley";
import { FACES, anything, codeOf, failure } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";
import { DATAGRAMS, PACKETS, STREAMS, missing } from "../support/kinds.ts";

const MESSAGE = "Michael Gilfix was here";

/** Two ends, and how `a` reaches `b`: `to` is null where they are connected. */
interface Way extends Disposable {
  readonly a: Socket;
  readonly b: Socket;
  readonly to: AnyAddress | null;
  readonly from: AnyAddress | null;
}

type Received = [data: Buffer, ancdata: ReceivedAncillary[], flags: number, address: AnyAddress];
type Receive = (sock: Socket, bufsize: number, ancbufsize?: number, flags?: number) => Promise<Received>;

const connected = (make: (face: Face) => Promise<Omit<Way, "to" | "from">>) => async (face: Face) => {
  const made = await make(face);
  return { ...made, to: null, from: null };
};

const KINDS: Readonly<Record<string, (face: Face) => Promise<Way>>> = {
  ...Object.fromEntries(Object.entries(DATAGRAMS).map(([kind, make]) => [kind, async (face) => make(face)])),
  ...Object.fromEntries(Object.entries(STREAMS).map(([kind, make]) => [kind, connected(make)])),
  ...Object.fromEntries(
    Object.entries(PACKETS).map(([kind, make]) => [
      kind === "Unix datagram" ? "Unix datagram pair" : kind,
      connected(make),
    ]),
  ),
};

const isStream = ({ b }: Way): boolean => b.type === SOCK_STREAM;
const send = async ({ a, to }: Way, buffers: Iterable<Data>): Promise<number> =>
  a.sendmsg(buffers, [], 0, to);
const receiveMessage: Receive = async (sock, ...rest) => sock.recvmsg<AnyAddress>(...rest);

/** With sendmsg, whatever receives. */
const SENDING: Readonly<Record<string, (way: Way) => Promise<void>>> = {
  "sendmsg() sends one piece": async (way) => {
    assert.equal(await send(way, [MESSAGE]), MESSAGE.length);
    assert.equal((await way.b.recv(1024)).toString(), MESSAGE);
  },

  "sendmsg() takes the pieces of a generator": async (way) => {
    function* pieces(): Generator<Data> {
      for (const word of MESSAGE.split(" ")) yield `${word}-`;
    }
    await send(way, pieces());
    assert.equal((await way.b.recv(1024)).toString(), "Michael-Gilfix-was-here-");
  },

  "sendmsg() gathers strings, buffers and views of any element, empty ones too": async (way) => {
    const wide = Uint16Array.of(0x4241, 0x4443, 0x4645);
    const pieces = [
      "é",
      new Uint8Array(0),
      wide.subarray(1),
      Buffer.from("-"),
      new DataView(wide.buffer, 1, 2),
    ];
    assert.equal(await send(way, pieces), 9);
    assert.deepEqual(await way.b.recv(1024), Buffer.concat([Buffer.from("éCDEF-BC")]));
  },

  "sendmsg() refuses what is no list of pieces, and sends nothing": async (way) => {
    const { a, to } = way;
    const wrong: [call: () => unknown, code: string][] = [
      [() => a.sendmsg(anything(undefined)), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendmsg(anything(5)), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendmsg("text"), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendmsg(anything(Buffer.from("bytes"))), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendmsg([anything(5)], [], 0, to), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendmsg(["x", anything(null)], [], 0, to), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendmsg(["x"], anything(5), 0, to), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendmsg(["x"], [], anything("0"), to), "ERR_INVALID_ARG_TYPE"],
      [() => a.sendmsg(["x"], [], 2 ** 40, to), "ERR_OUT_OF_RANGE"],
      [() => a.sendmsg(["x"], [], 0, anything(5)), "ERR_INVALID_ARG_TYPE"],
    ];
    for (const [call, code] of wrong) assert.equal(await codeOf(call), code, call.toString());
    await send(way, ["done"]);
    assert.equal((await way.b.recv(1024)).toString(), "done");
  },

  "sendmsg() refuses what is no control message, alone or after a good one, and sends nothing": async (
    way,
  ) => {
    const { a, to } = way;
    const good: Ancillary = [0, 0, "data"];
    const bad: [item: unknown, code: string][] = [
      [5, "ERR_INVALID_ARG_TYPE"],
      ["abc", "ERR_INVALID_ARG_TYPE"],
      [[], "ERR_INVALID_ARG_TYPE"],
      [[0, 0], "ERR_INVALID_ARG_TYPE"],
      [[0, 0, "data", 0], "ERR_INVALID_ARG_TYPE"],
      [["0", 0, "data"], "ERR_INVALID_ARG_TYPE"],
      [[0, {}, "data"], "ERR_INVALID_ARG_TYPE"],
      [[0, 0, null], "ERR_INVALID_ARG_TYPE"],
      [[0, 0, [1]], "ERR_INVALID_ARG_TYPE"],
      [[2 ** 40, 0, "data"], "ERR_OUT_OF_RANGE"],
      [[0, 0.5, "data"], "ERR_OUT_OF_RANGE"],
    ];
    for (const [item, code] of bad)
      for (const list of [[item], [good, item]])
        assert.equal(await codeOf(() => a.sendmsg(["x"], anything(list), 0, to)), code, JSON.stringify(list));
    await send(way, ["done"]);
    assert.equal((await way.b.recv(1024)).toString(), "done");
  },

  "sendmsg() takes control messages of a generator, and none of an empty one": async (way) => {
    function* none(): Generator<Ancillary> {}
    await way.a.sendmsg([MESSAGE], none(), 0, way.to);
    assert.equal((await way.b.recv(1024)).toString(), MESSAGE);
    function* broken(): Generator<Ancillary> {
      yield [0, 0, ""];
      throw new Error("out of them");
    }
    assert.match((await failure(() => way.a.sendmsg(["x"], broken(), 0, way.to))).message, /out of them/);
    assert.equal(await codeOf(() => way.b.recv(1024, MSG_DONTWAIT)), "EAGAIN");
  },

  "sendmsg() with null as its address sends to the peer": async (way) => {
    if (way.to !== null) await way.a.connect(way.to);
    await way.a.sendmsg([MESSAGE], [], 0, null);
    assert.equal((await way.b.recv(1024)).toString(), MESSAGE);
  },

  "sendmsg() without an address says so where there is no peer": async (way) => {
    if (way.to === null) return;
    const code = await codeOf(() => way.a.sendmsg(["x"]));
    assert.equal(code, way.a.family === 1 ? "ENOTCONN" : "EDESTADDRREQ");
  },

  "sendmsg() after close() fails with EBADF": async (way) => {
    way.a.close();
    assert.equal(await codeOf(() => send(way, ["x"])), "EBADF");
  },

  "sendmsg() with MSG_DONTWAIT, and with a timeout, ends when nothing has room": async (way) => {
    if (way.to !== null && way.a.family !== 1) return; // the kernel throws datagrams away and never waits
    const piece = Buffer.alloc(way.a.type === SOCK_STREAM ? 1 << 20 : 4096);
    const filled = await failure(async () => {
      for (;;) await way.a.sendmsg([piece], [], MSG_DONTWAIT, way.to);
    });
    assert.equal(filled.code, "EAGAIN");
    way.a.settimeout(0.01);
    const late = await failure(async () => {
      for (;;) await send(way, [piece]); // the kernel may have found some room meanwhile
    });
    assert.deepEqual([late.name, late.syscall], ["TimeoutError", "sendmsg"]);
  },
};

/** With recvmsg and with recvmsg_into. */
const RECEIVING: Readonly<Record<string, (way: Way, receive: Receive) => Promise<void>>> = {
  "gives what was sent, no control data, no flags, and the sender": async (way, receive) => {
    await send(way, [MESSAGE]);
    const [data, ancdata, flags, address] = await receive(way.b, MESSAGE.length);
    assert.equal(data.toString(), MESSAGE);
    assert.deepEqual(ancdata, []);
    assert.equal(flags & ~MSG_EOR, 0);
    if (way.from !== null) assert.deepEqual(address, way.from);
  },

  "takes its defaults said aloud": async (way, receive) => {
    await send(way, [MESSAGE]);
    assert.equal((await receive(way.b, MESSAGE.length, 0, 0))[0].toString(), MESSAGE);
  },

  "with more room than there is gives what came": async (way, receive) => {
    await send(way, [MESSAGE]);
    const [data, , flags] = await receive(way.b, MESSAGE.length + 1024);
    assert.deepEqual([data.toString(), flags & (MSG_TRUNC | MSG_CTRUNC)], [MESSAGE, 0]);
  },

  "with less room cuts a message and says MSG_TRUNC, and leaves the rest of a stream": async (
    way,
    receive,
  ) => {
    await send(way, [MESSAGE]);
    const [data, , flags] = await receive(way.b, MESSAGE.length - 3);
    assert.equal(data.toString(), MESSAGE.slice(0, -3));
    assert.equal(flags & MSG_TRUNC, isStream(way) ? 0 : MSG_TRUNC);
    if (isStream(way)) assert.equal((await receive(way.b, 1024))[0].toString(), MESSAGE.slice(-3));
    else assert.equal(await codeOf(() => way.b.recv(1024, MSG_DONTWAIT)), "EAGAIN");
  },

  "with little or much room for control data that does not come gives none": async (way, receive) => {
    for (const room of [1, 7, CMSG_SPACE(0), 10_240]) {
      await send(way, [MESSAGE]);
      const [data, ancdata, flags] = await receive(way.b, 1024, room);
      assert.deepEqual([data.toString(), ancdata, flags & (MSG_TRUNC | MSG_CTRUNC)], [MESSAGE, [], 0]);
    }
  },

  "with MSG_PEEK shows a part, and the whole, and leaves it": async (way, receive) => {
    await send(way, [MESSAGE]);
    const [part, , flags] = await receive(way.b, MESSAGE.length - 3, 0, MSG_PEEK);
    assert.deepEqual(
      [part.toString(), flags & MSG_TRUNC],
      [MESSAGE.slice(0, -3), isStream(way) ? 0 : MSG_TRUNC],
    );
    assert.equal((await receive(way.b, 1024, 0, MSG_PEEK))[0].toString(), MESSAGE);
    assert.equal((await receive(way.b, 1024))[0].toString(), MESSAGE);
  },

  "receives what sendmsg() gathered as one": async (way, receive) => {
    await send(way, [MESSAGE.slice(0, 3), MESSAGE.slice(3)]);
    assert.equal((await receive(way.b, 1024))[0].toString(), MESSAGE);
  },

  "ends by timeout when nothing comes, and loses nothing that comes later": async (way, receive) => {
    way.b.settimeout(0.01);
    const { name, syscall } = await failure(() => receive(way.b, 1024));
    assert.deepEqual([name, syscall], ["TimeoutError", "recvmsg"]);
    await send(way, [MESSAGE]);
    assert.equal((await receive(way.b, 1024))[0].toString(), MESSAGE);
  },

  "says EAGAIN where it may not wait": async (way, receive) => {
    assert.equal(await codeOf(() => receive(way.b, 1024, 0, MSG_DONTWAIT)), "EAGAIN");
    way.b.setblocking(false);
    assert.equal(await codeOf(() => receive(way.b, 1024)), "EAGAIN");
  },

  "gives an empty message at the end of a connection": async (way, receive) => {
    if (way.to !== null || way.a.type === 2) return;
    await send(way, [MESSAGE]);
    way.a.shutdown(SHUT_WR);
    assert.equal((await receive(way.b, 1024))[0].toString(), MESSAGE);
    for (let time = 0; time < 2; time++) {
      const [data, ancdata, flags] = await receive(way.b, 1024, 64);
      assert.deepEqual([data.length, ancdata, flags & (MSG_TRUNC | MSG_CTRUNC)], [0, [], 0]);
    }
  },

  "takes an empty datagram, which is no end": async (way, receive) => {
    if (isStream(way)) return;
    await send(way, []);
    await send(way, ["next"]);
    assert.equal((await receive(way.b, 1024))[0].length, 0);
    assert.equal((await receive(way.b, 1024))[0].toString(), "next");
  },

  "after close() fails with EBADF": async (way, receive) => {
    way.b.close();
    assert.equal(await codeOf(() => receive(way.b, 1024)), "EBADF");
  },
};

/** Of one of the two only: how the memory is given. */
const MEMORY: Readonly<Record<string, (way: Way) => Promise<void>>> = {
  "recvmsg() refuses sizes and flags that are none, and takes nothing": async (way) => {
    await send(way, ["kept"]);
    const { b } = way;
    const wrong: [call: () => unknown, code: string][] = [
      [() => b.recvmsg(anything(undefined)), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg(-1), "ERR_OUT_OF_RANGE"],
      [() => b.recvmsg(1.5), "ERR_OUT_OF_RANGE"],
      [() => b.recvmsg(anything("1")), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg(10, -1), "ERR_OUT_OF_RANGE"],
      [() => b.recvmsg(10, 2 ** 40), "ERR_OUT_OF_RANGE"],
      [() => b.recvmsg(10, anything("0")), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg(10, 0, anything(null)), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg(10, 0, 0.5), "ERR_OUT_OF_RANGE"],
    ];
    for (const [call, code] of wrong) assert.equal(await codeOf(call), code, call.toString());
    assert.equal((await b.recv(10)).toString(), "kept");
  },

  "recvmsg_into() refuses what is no list of buffers, and takes nothing": async (way) => {
    await send(way, ["kept"]);
    const { b } = way;
    const room = Buffer.alloc(9);
    const wrong: [call: () => unknown, code: string][] = [
      [() => b.recvmsg_into(anything(undefined)), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg_into(anything(5)), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg_into(anything(room)), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg_into([anything("text")]), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg_into([room, anything(null)]), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg_into([room], -1), "ERR_OUT_OF_RANGE"],
      [() => b.recvmsg_into([room], anything("1")), "ERR_INVALID_ARG_TYPE"],
      [() => b.recvmsg_into([room], 0, 2 ** 40), "ERR_OUT_OF_RANGE"],
    ];
    for (const [call, code] of wrong) assert.equal(await codeOf(call), code, call.toString());
    assert.ok(room.equals(Buffer.alloc(9)));
    assert.equal((await b.recv(10)).toString(), "kept");
  },

  "recvmsg_into() takes the buffers of a generator, and scatters over them in their order": async (way) => {
    const buffers = [Buffer.alloc(3, "."), new Uint8Array(0), Buffer.alloc(5, "."), Buffer.alloc(40, ".")];
    function* given(): Generator<ArrayBufferView> {
      yield* buffers;
    }
    await send(way, [MESSAGE]);
    const [nbytes, ancdata, flags] = await way.b.recvmsg_into(given());
    assert.deepEqual([nbytes, ancdata, flags & ~MSG_EOR], [MESSAGE.length, [], 0]);
    assert.equal(Buffer.concat(buffers).toString(), MESSAGE.padEnd(48, "."));
  },

  "recvmsg_into() fills typed arrays and views in the middle of their memory": async (way) => {
    const memory = Buffer.alloc(12, ".");
    const numbers = new Int16Array(4);
    const view = new DataView(memory.buffer, memory.byteOffset + 4, 4);
    await send(way, ["abcdefgh1234"]);
    const [nbytes] = await way.b.recvmsg_into([numbers, view]);
    assert.equal(nbytes, 12);
    assert.equal(Buffer.from(numbers.buffer).toString(), "abcdefgh");
    assert.equal(memory.toString(), "....1234....");
  },
};

/** recvmsg_into() with the shape of recvmsg(): two buffers, the first of one byte. */
const receiveInto: Receive = async (sock, bufsize, ...rest) => {
  const buffers = [Buffer.alloc(Math.min(1, bufsize)), Buffer.alloc(Math.max(0, bufsize - 1))];
  const [nbytes, ...others] = await sock.recvmsg_into<AnyAddress>(buffers, ...rest);
  return [Buffer.concat(buffers).subarray(0, nbytes), ...others];
};

for (const [title, face] of Object.entries(FACES))
  for (const [kind, make] of Object.entries(KINDS)) {
    const skip = missing(face, kind);
    const each = (name: string, body: (way: Way) => Promise<void>): void => {
      test(`${name} (${kind}, ${title})`, { skip }, async () => {
        using way = await make(face);
        await body(way);
      });
    };
    for (const [name, body] of Object.entries({ ...SENDING, ...MEMORY })) each(name, body);
    for (const [name, body] of Object.entries(RECEIVING)) {
      each(`recvmsg() ${name}`, (way) => body(way, receiveMessage));
      each(`recvmsg_into() ${name}`, (way) => body(way, receiveInto));
    }
  }
