// What multicast sockets must do on an interface, for either family. Run on loopback by multicast.test.ts for IPv4, and in
// a network namespace with an interface of its own by multicast-child.ts for both.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AF_INET,
  AF_INET6,
  CMSG_SPACE,
  IPPROTO_IP,
  IPPROTO_IPV6,
  IPV6_MULTICAST_LOOP,
  IPV6_PKTINFO,
  IPV6_RECVPKTINFO,
  IP_MULTICAST_ALL,
  IP_MULTICAST_LOOP,
  IP_PKTINFO,
  MCAST_BLOCK_SOURCE,
  MCAST_JOIN_GROUP,
  MCAST_JOIN_SOURCE_GROUP,
  MCAST_LEAVE_GROUP,
  MCAST_LEAVE_SOURCE_GROUP,
  MCAST_UNBLOCK_SOURCE,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_REUSEADDR,
  inet_ntop,
  socket,
} from "berkeley";
import type { Address, Socket } from "berkeley";
import { groupRequest, join, leave, levelOf, sendBy } from "../support/multicast.ts";

/** Where the cases run. */
export interface Place {
  readonly family: number;
  /** The interface. */
  readonly index: number;
  readonly group: string;
  readonly otherGroup: string;
  /** Two addresses of this machine to send from. */
  readonly sources: readonly [string, string];
}

/** Registers the cases. */
export function multicastCases(where: string, place: Place): void {
  const { family, index, group, otherGroup, sources } = place;

  function receiver(port = 0): Socket {
    const sock = socket(family, SOCK_DGRAM);
    sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
    sock.bind(["", port]);
    return sock;
  }

  function sender(source = sources[0]): Socket {
    const sock = socket(family, SOCK_DGRAM);
    sock.bind([source, 0]);
    sendBy(sock, index);
    return sock;
  }

  const at = (sock: Socket, host: string): Address =>
    family === AF_INET6 ? [host, sock.getsockname()[1], 0, index] : [host, sock.getsockname()[1]];

  /** What is heard before a datagram that is sent straight to the receiver. */
  async function heard(sock: Socket): Promise<string[]> {
    using marker = socket(family, SOCK_DGRAM);
    await marker.sendto("end", at(sock, sources[0]));
    const texts: string[] = [];
    for (;;) {
      const text = (await sock.recvfrom(64))[0].toString();
      if (text === "end") return texts;
      texts.push(text);
    }
  }

  test(`a member of a group hears what is sent to it, until it leaves (${where})`, async () => {
    using sock = receiver();
    using from = sender();
    await from.sendto("before", at(sock, group));
    join(sock, group, index);
    await from.sendto("member", at(sock, group));
    await from.sendto("other group", at(sock, otherGroup));
    leave(sock, group, index);
    await from.sendto("after", at(sock, group));
    assert.deepEqual(await heard(sock), ["member"]);
  });

  test(`recvfrom() tells who sent to the group, recvmsg() to which group (${where})`, async () => {
    using sock = receiver();
    join(sock, group, index);
    if (family === AF_INET6) sock.setsockopt(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
    else sock.setsockopt(IPPROTO_IP, IP_PKTINFO, 1);
    using from = sender();
    await from.sendto("one", at(sock, group));
    await from.sendto("two", at(sock, group));
    assert.deepEqual((await sock.recvfrom(64))[1].slice(0, 2), from.getsockname().slice(0, 2));
    const [, [item]] = await sock.recvmsg(64, CMSG_SPACE(20));
    assert.deepEqual(item?.slice(0, 2), [levelOf(sock), family === AF_INET6 ? IPV6_PKTINFO : IP_PKTINFO]);
    const info = item?.[2] ?? Buffer.alloc(0);
    if (family === AF_INET6) {
      assert.equal(inet_ntop(AF_INET6, info.subarray(0, 16)), group);
      assert.equal(info.readInt32LE(16), index);
    } else {
      assert.equal(info.readInt32LE(0), index);
      assert.equal(inet_ntop(AF_INET, info.subarray(8, 12)), group);
    }
  });

  test(`two members of one port and group both hear what is sent (${where})`, async () => {
    using one = receiver();
    using two = receiver(one.getsockname()[1]);
    join(one, group, index);
    join(two, group, index);
    using from = sender();
    await from.sendto("to both", at(one, group));
    assert.equal((await one.recvfrom(64))[0].toString(), "to both");
    assert.equal((await two.recvfrom(64))[0].toString(), "to both");
  });

  // Loopback brings everything back, whatever the sender asks for.
  if (!where.includes("loopback"))
    test(`without MULTICAST_LOOP this machine hears nothing of itself (${where})`, async () => {
      using sock = receiver();
      join(sock, group, index);
      using from = sender();
      from.setsockopt(levelOf(from), family === AF_INET6 ? IPV6_MULTICAST_LOOP : IP_MULTICAST_LOOP, 0);
      await from.sendto("not here", at(sock, group));
      assert.deepEqual(await heard(sock), []);
    });

  test(`MCAST_JOIN_GROUP and MCAST_LEAVE_GROUP are for either family (${where})`, async () => {
    using sock = receiver();
    using from = sender();
    sock.setsockopt(levelOf(sock), MCAST_JOIN_GROUP, groupRequest(family, index, group));
    await from.sendto("member", at(sock, group));
    sock.setsockopt(levelOf(sock), MCAST_LEAVE_GROUP, groupRequest(family, index, group));
    await from.sendto("after", at(sock, group));
    assert.deepEqual(await heard(sock), ["member"]);
  });

  test(`a member for one source hears that source alone (${where})`, async () => {
    using sock = receiver();
    using wanted = sender(sources[0]);
    using other = sender(sources[1]);
    const request = groupRequest(family, index, group, sources[0]);
    sock.setsockopt(levelOf(sock), MCAST_JOIN_SOURCE_GROUP, request);
    await other.sendto("not wanted", at(sock, group));
    await wanted.sendto("wanted", at(sock, group));
    sock.setsockopt(levelOf(sock), MCAST_LEAVE_SOURCE_GROUP, request);
    await wanted.sendto("after", at(sock, group));
    assert.deepEqual(await heard(sock), ["wanted"]);
  });

  test(`a member that blocks a source hears all others, until it unblocks it (${where})`, async () => {
    using sock = receiver();
    using one = sender(sources[0]);
    using other = sender(sources[1]);
    join(sock, group, index);
    const request = groupRequest(family, index, group, sources[1]);
    sock.setsockopt(levelOf(sock), MCAST_BLOCK_SOURCE, request);
    await other.sendto("blocked", at(sock, group));
    await one.sendto("one", at(sock, group));
    sock.setsockopt(levelOf(sock), MCAST_UNBLOCK_SOURCE, request);
    await other.sendto("unblocked", at(sock, group));
    assert.deepEqual(await heard(sock), ["one", "unblocked"]);
  });

  if (family === AF_INET)
    test(`without IP_MULTICAST_ALL a socket hears its own groups alone (${where})`, async () => {
      using member = receiver();
      using sock = receiver(member.getsockname()[1]);
      join(member, group, index);
      using from = sender();
      sock.setsockopt(IPPROTO_IP, IP_MULTICAST_ALL, 0);
      join(sock, otherGroup, index);
      await from.sendto("not mine", at(sock, group));
      await from.sendto("mine", at(sock, otherGroup));
      assert.equal((await sock.recvfrom(64))[0].toString(), "mine");
      assert.equal((await member.recvfrom(64))[0].toString(), "not mine");
    });
}
