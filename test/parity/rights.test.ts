// Descriptors beside a message (SCM_RIGHTS) as bytes: several, none, half of one, in one control message or in several, and
// cut for want of room at every place; with recvmsg and recvmsg_into, on each kind of Unix socket, in both faces. Whatever
// happens, no descriptor is left that nobody was told of.

import assert from "node:assert/strict";
import { closeSync, fstatSync } from "node:fs";
import { test } from "node:test";
import {
  AF_UNIX,
  CMSG_LEN,
  CMSG_SPACE,
  MSG_CTRUNC,
  SCM_RIGHTS,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
} from "berkeley";
import type { Ancillary, ReceivedAncillary, Socket } from "berkeley";
import { nullDescriptors, openDescriptors, sameFile } from "../support/descriptors.ts";
import { FACES, failure } from "../support/faces.ts";
import type { Face } from "../support/faces.ts";

const FD_BYTES = 4;
const MESSAGE = "Michael Gilfix was here";

// The engine opens descriptors of its own with the first socket.
for (const sock of Object.values(FACES).flatMap((face) => face.socketpair())) sock.close();

type Told = [ancdata: ReceivedAncillary[], flags: number];
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

const rights = (data: Ancillary[2]): Ancillary => [SOL_SOCKET, SCM_RIGHTS, data];
const passing = (...fds: number[]): Ancillary => rights(Int32Array.from(fds));

/** The descriptors in what came; the bytes of half a descriptor are none. */
function descriptorsOf([ancdata]: Told): number[] {
  return ancdata.flatMap(([level, type, data]) => {
    assert.deepEqual([level, type], [SOL_SOCKET, SCM_RIGHTS]);
    const whole = data.subarray(0, data.length - (data.length % FD_BYTES));
    return [...new Int32Array(new Uint8Array(whole).buffer)];
  });
}

/** Checks that so many descriptors came, each another one of the sender's file; and closes them. */
function taken(told: Told, count: number, sent: readonly number[], truncated = false): void {
  const fds = descriptorsOf(told);
  try {
    assert.equal(fds.length, count);
    assert.equal(told[1] & MSG_CTRUNC, truncated ? MSG_CTRUNC : 0);
    for (const fd of fds) {
      assert.ok(!sent.includes(fd));
      assert.ok(sameFile(fd, sent[0] as number));
    }
  } finally {
    for (const fd of fds) closeSync(fd);
  }
}

/** What a test is given: two ends, how `b` receives, and two open files. */
interface Stage {
  readonly a: Socket;
  readonly b: Socket;
  readonly receive: (room?: number) => Promise<Told>;
  readonly fds: readonly [number, number];
}

const send = async ({ a }: Stage, ...ancdata: Ancillary[]): Promise<number> => a.sendmsg([MESSAGE], ancdata);

const TESTS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  "gives one descriptor": async (stage) => {
    await send(stage, passing(stage.fds[0]));
    taken(await stage.receive(10_240), 1, stage.fds);
  },
  "gives several descriptors of one control message": async (stage) => {
    await send(stage, passing(...stage.fds, ...stage.fds));
    taken(await stage.receive(10_240), 4, stage.fds);
  },
  "gives several descriptors in exactly CMSG_SPACE()": async (stage) => {
    await send(stage, passing(...stage.fds, ...stage.fds));
    taken(await stage.receive(CMSG_SPACE(4 * FD_BYTES)), 4, stage.fds);
  },
  "gives one descriptor in exactly CMSG_LEN()": async (stage) => {
    await send(stage, passing(stage.fds[0]));
    taken(await stage.receive(CMSG_LEN(FD_BYTES)), 1, stage.fds);
  },
  "gives the descriptors of two control messages": async (stage) => {
    await send(stage, passing(stage.fds[0]), passing(stage.fds[1]));
    taken(await stage.receive(10_240), 2, stage.fds);
  },
  "gives the descriptors of two control messages in the least room": async (stage) => {
    await send(stage, passing(stage.fds[0]), passing(stage.fds[1]));
    taken(await stage.receive(CMSG_SPACE(FD_BYTES) + CMSG_LEN(FD_BYTES)), 2, stage.fds);
  },
  "gives none of an empty list": async (stage) => {
    await send(stage, rights(""));
    taken(await stage.receive(10_240), 0, stage.fds);
  },
  "gives none of a descriptor that was sent without its last byte": async (stage) => {
    const part = new Uint8Array(Int32Array.of(stage.fds[0]).buffer).subarray(0, 3);
    try {
      await send(stage, rights(part));
    } catch {
      await stage.a.sendmsg([MESSAGE]); // refused, which is as good
    }
    taken(await stage.receive(10_240), 0, stage.fds);
  },
  "gives nothing strange of half a descriptor between whole ones": async (stage) => {
    const whole = new Uint8Array(Int32Array.from(stage.fds).buffer);
    let refused = false;
    try {
      await send(stage, rights(whole.subarray(0, 7)), passing(stage.fds[0]));
    } catch {
      refused = true;
      await stage.a.sendmsg([MESSAGE]);
    }
    const told = await stage.receive(10_240);
    taken(told, refused ? 0 : descriptorsOf(told).length, stage.fds);
    assert.ok(told[0].length <= 2);
  },
  "gives the descriptors of a generator": async (stage) => {
    function* items(): Generator<Ancillary> {
      for (const fd of stage.fds) yield passing(fd);
    }
    await stage.a.sendmsg([MESSAGE], items());
    taken(await stage.receive(10_240), 2, stage.fds);
  },
};

/** Rooms for two descriptors of one control message, and how many come. */
const ROOMS: Readonly<Record<string, [room: number | undefined, count: number]>> = {
  "no room said": [undefined, 0],
  "room of 0": [0, 0],
  "a byte": [1, 0],
  "two ints": [2 * FD_BYTES, 0],
  "a byte less than a header": [CMSG_LEN(0) - 1, 0],
  "a header alone": [CMSG_LEN(0), 0],
  "a header and a byte": [CMSG_LEN(0) + 1, 0],
  "a byte less than one descriptor": [CMSG_LEN(FD_BYTES) - 1, 0],
  "one descriptor": [CMSG_LEN(FD_BYTES), 1],
  "a byte less than two descriptors": [CMSG_LEN(2 * FD_BYTES) - 1, 1],
};
for (const [what, [room, count]] of Object.entries(ROOMS))
  Object.assign(TESTS, {
    [`gives ${count} of two descriptors in ${what}, and says MSG_CTRUNC`]: async (stage: Stage) => {
      await send(stage, passing(...stage.fds));
      taken(await (room === undefined ? stage.receive() : stage.receive(room)), count, stage.fds, true);
    },
  });

const TYPES = { stream: SOCK_STREAM, datagram: SOCK_DGRAM, seqpacket: SOCK_SEQPACKET };

async function perform(
  face: Face,
  type: number,
  receive: Receive,
  body: (given: Stage) => Promise<void>,
): Promise<void> {
  const before = openDescriptors();
  {
    const [first, second] = face.socketpair(AF_UNIX, type);
    using a = first;
    using b = second;
    using files = nullDescriptors(2);
    const fds = files.fds as unknown as readonly [number, number];
    await body({ a, b, fds, receive: (...room) => receive(b, ...room) });
    for (const fd of fds) assert.ok(fstatSync(fd), "the sender's stay open");
  }
  assert.deepEqual(openDescriptors(), before);
}

for (const [title, face] of Object.entries(FACES))
  for (const [kind, type] of Object.entries(TYPES)) {
    for (const [call, receive] of Object.entries(RECEIVERS))
      for (const [name, body] of Object.entries(TESTS))
        test(`${call} ${name} (${kind}, ${title})`, () => perform(face, type, receive, body));

    test(`sendmsg() of a descriptor that is not open says EBADF, and sends nothing (${kind}, ${title})`, () =>
      perform(face, type, RECEIVERS["recvmsg()"] as Receive, async (given) => {
        const { code } = await failure(() => send(given, passing(2 ** 30)));
        assert.equal(code, "EBADF");
        given.b.setblocking(false);
        assert.equal((await failure(() => given.b.recv(1))).code, "EAGAIN");
      }));

    test(`recv_fds() gives what send_fds() sent, message, descriptors and flags (${kind}, ${title})`, () =>
      perform(face, type, RECEIVERS["recvmsg()"] as Receive, async ({ a, b, fds }) => {
        assert.equal(await face.send_fds(a, [MESSAGE], fds), MESSAGE.length);
        const [message, got, flags] = await face.recv_fds(b, 1024, 2);
        assert.deepEqual([message.toString(), got.length, flags & MSG_CTRUNC], [MESSAGE, 2, 0]);
        for (const fd of got) closeSync(fd);
      }));
  }
