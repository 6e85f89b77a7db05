// What IPv6 tells beside a datagram (RFC 3542): hop limit and traffic class, received, sent, and cut for want of room at
// every place where that can happen; over UDP and UDP-Lite, with recvmsg and recvmsg_into, in both faces.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CMSG_LEN,
  CMSG_SPACE,
  IPPROTO_IPV6,
  IPV6_HOPLIMIT,
  IPV6_RECVHOPLIMIT,
  IPV6_RECVTCLASS,
  IPV6_TCLASS,
  MSG_CTRUNC,
  MSG_TRUNC,
} from "berkeley";
import type { Ancillary, ReceivedAncillary, Socket } from "berkeley";
import { FACES, codeOf } from "../support/faces.ts";
import { DATAGRAMS, missing } from "../support/kinds.ts";
import type { Correspondents } from "../support/kinds.ts";

const MESSAGE = "Michael Gilfix was here";
const INT_BYTES = 4;
/** What the sender asks for, and a value that neither the system nor anybody else would choose. */
const HOPS = 2;
const CLASS = 0x29;

type Told = [ancdata: ReceivedAncillary[], flags: number];
/** Receives MESSAGE with so much room for control data (undefined: the call is not told). */
type Receive = (sock: Socket, room?: number) => Promise<Told>;

const RECEIVERS: Readonly<Record<string, Receive>> = {
  "recvmsg()": async (sock, ...room) => {
    const [data, ancdata, flags] = await sock.recvmsg(MESSAGE.length, ...room);
    assert.equal(data.toString(), MESSAGE);
    return [ancdata, flags];
  },
  "recvmsg_into()": async (sock, ...room) => {
    const memory = Buffer.alloc(MESSAGE.length);
    const [nbytes, ancdata, flags] = await sock.recvmsg_into([memory], ...room);
    assert.deepEqual([nbytes, memory.toString()], [MESSAGE.length, MESSAGE]);
    return [ancdata, flags];
  },
};

const int = (value: number): Int32Array => Int32Array.of(value);
const hops = (value: number): Ancillary => [IPPROTO_IPV6, IPV6_HOPLIMIT, int(value)];
const trafficClass = (value: number): Ancillary => [IPPROTO_IPV6, IPV6_TCLASS, int(value)];
const valueOf = (data: Buffer): number => data.readInt32LE();

/** Sends MESSAGE from `a` to `b`, and has `b` receive it. */
async function exchange(
  { a, b, to }: Correspondents,
  receive: Receive,
  ancdata: readonly Ancillary[],
  ...room: [] | [number]
): Promise<Told> {
  await a.sendmsg([MESSAGE], ancdata, 0, to);
  return receive(b, ...room);
}

/** The one control message that came, of this type, whole: its value. */
function only([ancdata, flags]: Told, type: number): number {
  assert.equal(flags & (MSG_CTRUNC | MSG_TRUNC), 0);
  assert.deepEqual(
    ancdata.map((item) => item.slice(0, 2)),
    [[IPPROTO_IPV6, type]],
  );
  const data = ancdata[0]?.[2] as Buffer;
  assert.equal(data.length, INT_BYTES);
  return valueOf(data);
}

/** Both control messages, in whatever order: hop limit and traffic class. */
function both([ancdata, flags]: Told): [hops: number, trafficClass: number] {
  assert.equal(flags & (MSG_CTRUNC | MSG_TRUNC), 0);
  assert.equal(ancdata.length, 2);
  const of = (type: number): number =>
    valueOf(ancdata.find((item) => item[0] === IPPROTO_IPV6 && item[1] === type)?.[2] as Buffer);
  return [of(IPV6_HOPLIMIT), of(IPV6_TCLASS)];
}

/** Checks a control message that was cut to less than its value. */
function cut([ancdata, flags]: Told, most: number): void {
  assert.equal(flags & MSG_CTRUNC, MSG_CTRUNC);
  assert.ok(ancdata.length <= 1);
  for (const [level, type, data] of ancdata) {
    assert.equal(level, IPPROTO_IPV6);
    assert.ok(type === IPV6_HOPLIMIT || type === IPV6_TCLASS);
    assert.ok(data.length <= most, `${data.length} bytes`);
  }
}

/** Checks that the first of two came whole, and of the second no more than `most` bytes. */
function secondCut([ancdata, flags]: Told, most: number): void {
  assert.equal(flags & MSG_CTRUNC, MSG_CTRUNC);
  assert.ok(ancdata.length === 1 || ancdata.length === 2);
  assert.equal(ancdata[0]?.[2].length, INT_BYTES);
  assert.ok((ancdata[1]?.[2].length ?? -1) <= most);
}

const ask = (sock: Socket, ...names: number[]): void => {
  for (const name of names) sock.setsockopt(IPPROTO_IPV6, name, 1);
};

const TESTS: Readonly<Record<string, (way: Correspondents, receive: Receive) => Promise<void>>> = {
  "gives no hop limit and no class that nobody asked for": async (way, receive) => {
    assert.deepEqual(await exchange(way, receive, [], 1024), [[], 0]);
  },
  "gives the hop limit of a datagram, in much room": async (way, receive) => {
    ask(way.b, IPV6_RECVHOPLIMIT);
    assert.equal(only(await exchange(way, receive, [], 10_240), IPV6_HOPLIMIT), 64);
  },
  "gives the hop limit of a datagram, in CMSG_SPACE()": async (way, receive) => {
    ask(way.b, IPV6_RECVHOPLIMIT);
    assert.equal(only(await exchange(way, receive, [], CMSG_SPACE(INT_BYTES)), IPV6_HOPLIMIT), 64);
  },
  "gives the hop limit that the sender chose": async (way, receive) => {
    ask(way.b, IPV6_RECVHOPLIMIT);
    assert.equal(only(await exchange(way, receive, [hops(HOPS)], 10_240), IPV6_HOPLIMIT), HOPS);
    assert.equal(only(await exchange(way, receive, [], 10_240), IPV6_HOPLIMIT), 64);
  },
  "gives hop limit and class, in much room": async (way, receive) => {
    ask(way.b, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS);
    assert.deepEqual(both(await exchange(way, receive, [], 10_240)), [64, 0]);
  },
  "gives hop limit and class, in twice CMSG_SPACE()": async (way, receive) => {
    ask(way.b, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS);
    assert.deepEqual(both(await exchange(way, receive, [], 2 * CMSG_SPACE(INT_BYTES))), [64, 0]);
  },
  "gives hop limit and class, in CMSG_SPACE() and CMSG_LEN()": async (way, receive) => {
    ask(way.b, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS);
    const room = CMSG_SPACE(INT_BYTES) + CMSG_LEN(INT_BYTES);
    assert.deepEqual(both(await exchange(way, receive, [], room)), [64, 0]);
  },
  "gives hop limit and class that the sender chose, in either order": async (way, receive) => {
    ask(way.b, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS);
    const chosen = [trafficClass(CLASS), hops(HOPS)];
    for (const list of [chosen, chosen.toReversed()])
      assert.deepEqual(both(await exchange(way, receive, list, 10_240)), [HOPS, CLASS]);
  },
  "gives both to nobody who has no room for one": async (way, receive) => {
    ask(way.b, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS);
    cut(await exchange(way, receive, []), -1);
  },
};

/** Rooms in which one control message of an int is cut, and what may be left of it. */
const CUT: Readonly<Record<string, [room: number | undefined, most: number]>> = {
  "no room said": [undefined, -1],
  "room of 0": [0, -1],
  "a byte": [1, -1],
  "two ints": [2 * INT_BYTES, -1],
  "a byte less than a header": [CMSG_LEN(0) - 1, -1],
  "a header alone": [CMSG_LEN(0), 0],
  "a byte less than the whole": [CMSG_LEN(INT_BYTES) - 1, INT_BYTES - 1],
};

for (const [what, [room, most]] of Object.entries(CUT)) {
  const rest: [] | [number] = room === undefined ? [] : [room];
  Object.assign(TESTS, {
    [`cuts the hop limit in ${what}, and says MSG_CTRUNC`]: async (way: Correspondents, receive: Receive) => {
      ask(way.b, IPV6_RECVHOPLIMIT);
      cut(await exchange(way, receive, [], ...rest), most);
    },
  });
  if (room === undefined) continue;
  const more = CMSG_SPACE(INT_BYTES) + room;
  Object.assign(TESTS, {
    [`cuts the second of two in ${what} more, and says MSG_CTRUNC`]: async (
      way: Correspondents,
      receive: Receive,
    ) => {
      ask(way.b, IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS);
      secondCut(await exchange(way, receive, [], more), most);
    },
  });
}

/** What the kernel refuses to take: a value that is too short, too long or too large. */
const REFUSED: Readonly<Record<string, Ancillary>> = {
  "a hop limit without a value": [IPPROTO_IPV6, IPV6_HOPLIMIT, ""],
  "a hop limit of three bytes": [IPPROTO_IPV6, IPV6_HOPLIMIT, new Uint8Array(3)],
  "a hop limit of 256": hops(256),
  "a class of two bytes": [IPPROTO_IPV6, IPV6_TCLASS, new Uint8Array(2)],
  "a class of 256": trafficClass(256),
};

for (const [title, face] of Object.entries(FACES))
  for (const kind of ["UDP over IPv6", "UDP-Lite over IPv6"]) {
    const skip = missing(face, kind);
    const make = DATAGRAMS[kind] as (typeof DATAGRAMS)[string];
    for (const [call, receive] of Object.entries(RECEIVERS))
      for (const [name, body] of Object.entries(TESTS))
        test(`${call} ${name} (${kind}, ${title})`, { skip }, async () => {
          using way = make(face);
          await body(way, receive);
        });
    for (const [what, item] of Object.entries(REFUSED))
      test(`sendmsg() of ${what} says EINVAL, and sends nothing (${kind}, ${title})`, { skip }, async () => {
        using way = make(face);
        assert.equal(await codeOf(() => way.a.sendmsg([MESSAGE], [item], 0, way.to)), "EINVAL");
        way.b.setblocking(false);
        assert.equal(await codeOf(() => way.b.recv(1)), "EAGAIN");
      });
  }
