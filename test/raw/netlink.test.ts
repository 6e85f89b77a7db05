// Netlink sockets: with CPython's over NETLINK_USERSOCK both ways, dumps of the kernel's beside CPython's of the same,
// notices of what ip(8) changes, refusals. netlink(7), rtnetlink(7).

import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as b from "berkeley";
import type { NetlinkAddress } from "berkeley";
import * as blocking from "berkeley/sync";
import { decodeAttributes, decodeNetlink, encodeAttributes, encodeNetlink } from "berkeley/packet";
import type { NetlinkMessage } from "berkeley/packet";
import { network, NETWORK_SKIP } from "../support/namespace.ts";
import { requirePeer } from "../support/peers.ts";
import { PYTHON, python } from "../support/python.ts";
import { token } from "../support/raw.ts";

const KERNEL: NetlinkAddress = [0, 0];
/** As much as the kernel puts into one answer. */
const ANSWER_BYTES = 65_536;

test("netlink messages go to CPython and back, each end seeing the other's port", {
  skip: PYTHON.skip,
}, async () => {
  using sock = b.socket(b.AF_NETLINK, b.SOCK_RAW, b.NETLINK_USERSOCK);
  sock.bind([0, 0]);
  const [port] = sock.getsockname<NetlinkAddress>();
  const [there, back] = [token(), token()];
  await using peer = python(
    `
s = socket(AF_NETLINK, SOCK_RAW, 2)
s.bind((0, 0))
say("port", s.getsockname()[0])
data, sender = s.recvfrom(65536)
say("came", data.hex(), *sender)
s.sendto(bytes.fromhex(sys.argv[2]), (int(sys.argv[1]), 0))`,
    [port, back.toString("hex")],
  );
  const [, theirs] = await peer.line(/^port (\d+)$/m);
  await sock.sendto(there, [Number(theirs), 0]);
  const [, hex, from] = await peer.line(/^came (\S+) (\d+) 0$/m);
  assert.deepEqual([hex, from], [there.toString("hex"), String(port)]);
  assert.deepEqual(await sock.recvfrom(ANSWER_BYTES), [back, [Number(theirs), 0]]);
});

/** Asks the kernel for all of something; the messages up to NLMSG_DONE. */
async function dump(type: number): Promise<NetlinkMessage[]> {
  using sock = b.socket(b.AF_NETLINK, b.SOCK_RAW, b.NETLINK_ROUTE);
  const request = encodeNetlink({
    type,
    flags: b.NLM_F_REQUEST | b.NLM_F_DUMP,
    sequence: 77,
    payload: new Uint8Array(type === b.RTM_GETLINK ? 16 : 8),
  });
  await sock.sendto(request, KERNEL);
  const messages: NetlinkMessage[] = [];
  for (;;) {
    const [bytes, , flags, sender] = await sock.recvmsg<NetlinkAddress>(ANSWER_BYTES);
    assert.equal(flags & b.MSG_TRUNC, 0);
    assert.deepEqual(sender, KERNEL);
    for (const message of decodeNetlink(bytes)) {
      assert.equal(message.sequence, 77);
      if (message.type === b.NLMSG_DONE) return messages;
      messages.push(message);
    }
  }
}

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8").replace(/\0$/, "");

test("a dump of links and addresses has what CPython's if_nameindex and its own dump have", {
  skip: PYTHON.skip,
}, async () => {
  const names = (await dump(b.RTM_GETLINK)).map(({ payload, type }) => {
    assert.equal(type, b.RTM_NEWLINK);
    const name = decodeAttributes(payload.subarray(16)).find((each) => each.type === b.IFLA_IFNAME);
    return [Buffer.from(payload).readInt32LE(4), textOf(name?.payload ?? new Uint8Array(0))];
  });
  const addresses = (await dump(b.RTM_GETADDR)).map(({ payload }) => {
    const address = decodeAttributes(payload.subarray(8)).find((each) => each.type === b.IFA_ADDRESS);
    return `${Buffer.from(payload).readInt32LE(4)} ${Buffer.from(address?.payload ?? []).toString("hex")}/${payload[1]}`;
  });
  await using peer = python(`
import json
def dump(kind, size):
    s = socket(AF_NETLINK, SOCK_RAW, 0)
    s.send(struct.pack("=IHHII", 16 + size, kind, 0x301, 1, 0) + bytes(size))
    while True:
        data = s.recv(65536)
        while data:
            length, type = struct.unpack("=IH", data[:6])
            if type == 3: return
            yield data[16:length]
            data = data[(length + 3) & ~3:]
def attribute(body, wanted):
    while body:
        length, type = struct.unpack("=HH", body[:4])
        if type == wanted: return body[4:length]
        body = body[(length + 3) & ~3:]
found = ["%d %s/%d" % (struct.unpack("=i", m[4:8])[0], attribute(m[8:], 1).hex(), m[1]) for m in dump(22, 8)]
say(json.dumps([if_nameindex(), found]))`);
  const told = JSON.parse((await peer.succeeded()).stdout.toString()) as unknown;
  // Others' tests may make and remove interfaces meanwhile; loopback stays.
  assert.ok(Array.isArray(told));
  assert.deepEqual(
    names.filter(([, name]) => name === "lo"),
    (told[0] as [number, string][]).filter(([, name]) => name === "lo"),
  );
  const ofLoopback = (list: readonly string[]): string[] => list.filter((each) => each.startsWith("1 "));
  assert.ok(ofLoopback(addresses).includes("1 7f000001/8"));
  assert.deepEqual(ofLoopback(addresses), ofLoopback(told[1] as string[]));
});

test("berkeley/sync dumps links too, and an answer that is cut says MSG_TRUNC and is refused", () => {
  using sock = blocking.socket(b.AF_NETLINK, b.SOCK_RAW, b.NETLINK_ROUTE);
  const flags = b.NLM_F_REQUEST | b.NLM_F_DUMP;
  const request = encodeNetlink({ type: b.RTM_GETLINK, flags, payload: new Uint8Array(16) });
  sock.sendto(request, KERNEL);
  const [cut, , cutFlags] = sock.recvmsg<NetlinkAddress>(200, 0, b.MSG_PEEK);
  assert.notEqual(cutFlags & b.MSG_TRUNC, 0);
  assert.throws(() => decodeNetlink(cut), { code: "ERR_NETLINK_LENGTH" });
  const [whole] = sock.recvfrom<NetlinkAddress>(ANSWER_BYTES);
  assert.equal(decodeNetlink(whole)[0]?.type, b.RTM_NEWLINK);
});

/** The errno of an NLMSG_ERROR, positive. */
const errnoOf = (message: NetlinkMessage | undefined): number => {
  assert.equal(message?.type, b.NLMSG_ERROR);
  return -Buffer.from(message.payload).readInt32LE(0);
};

test("the kernel's refusal comes as NLMSG_ERROR, with a text where NETLINK_EXT_ACK asks for it", async () => {
  using sock = b.socket(b.AF_NETLINK, b.SOCK_RAW, b.NETLINK_ROUTE);
  sock.options.NETLINK_EXT_ACK = true;
  sock.options.NETLINK_CAP_ACK = true;
  sock.options.NETLINK_GET_STRICT_CHK = true;
  const ask = async (payload: Buffer): Promise<NetlinkMessage | undefined> => {
    await sock.sendto(encodeNetlink({ type: b.RTM_GETLINK, flags: b.NLM_F_REQUEST, payload }), KERNEL);
    return decodeNetlink(await sock.recv(ANSWER_BYTES))[0];
  };
  const payload = Buffer.alloc(16);
  payload.writeInt32LE(2_000_000_000, 4); // an interface that there is not
  assert.equal(errnoOf(await ask(payload)), b.ENODEV);
  const refused = await ask(Buffer.alloc(4));
  assert.equal(errnoOf(refused), b.EINVAL);
  // Behind the errno and the request's header: attributes.
  const texts = decodeAttributes(refused?.payload.subarray(20) ?? new Uint8Array(0));
  const text = texts.find((each) => each.type === b.NLMSGERR_ATTR_MSG);
  assert.match(textOf(text?.payload ?? new Uint8Array(0)), /header/);
});

const ip = requirePeer("ip");
const CHILD = fileURLToPath(new URL("netlink-child.js", import.meta.url));

test("a socket in group RTMGRP_LINK hears what ip(8) does to an interface", {
  skip: NETWORK_SKIP || ip.skip,
}, async () => {
  await using where = await network();
  await using child = where.start(process.execPath, [CHILD, "listen"]);
  await child.line(/^ready$/m);
  for (const args of [
    ["link", "add", "one", "type", "veth", "peer", "name", "two"],
    ["link", "set", "one", "name", "renamed"],
    ["link", "del", "renamed"],
  ]) {
    await using change = where.start(ip.path, args);
    await change.succeeded();
  }
  await child.line(/^new one$/m);
  await child.line(/^new renamed$/m);
  await child.line(/^del renamed$/m);
});

test("an address that is set over netlink is what ip(8) shows", {
  skip: NETWORK_SKIP || ip.skip,
}, async () => {
  await using where = await network();
  await using child = where.start(process.execPath, [CHILD, "add", "192.0.2.77", "24"]);
  assert.equal((await child.succeeded()).stdout.toString(), "answer 0\n");
  await using shown = where.start(ip.path, ["-j", "-4", "addr", "show", "dev", "lo"]);
  const [link] = JSON.parse((await shown.succeeded()).stdout.toString()) as [
    { addr_info: { local: string; prefixlen: number }[] },
  ];
  assert.ok(link.addr_info.some(({ local, prefixlen }) => local === "192.0.2.77" && prefixlen === 24));
});

const setpriv = requirePeer("setpriv");

test("without CAP_NET_ADMIN the kernel answers EPERM to a change, and reading goes on", {
  skip: NETWORK_SKIP || setpriv.skip,
}, async () => {
  await using where = await network();
  const without = ["--bounding-set=-all", "--inh-caps=-all", process.execPath, CHILD];
  await using child = where.start(setpriv.path, [...without, "add", "192.0.2.77", "24"]);
  assert.equal((await child.succeeded()).stdout.toString(), `answer ${b.EPERM}\n`);
  await using dumping = where.start(setpriv.path, [...without, "dump"]);
  assert.equal((await dumping.succeeded()).stdout.toString(), "new lo\n");
});

test("encodeAttributes() and decodeAttributes() nest as the kernel's do: IFLA_LINKINFO", () => {
  const kind = { type: 1, payload: Buffer.from("veth\0") }; // IFLA_INFO_KIND
  const info = { type: b.IFLA_LINKINFO | b.NLA_F_NESTED, payload: encodeAttributes([kind]) };
  const [outer] = decodeAttributes(encodeAttributes([info]));
  assert.equal(outer?.type, b.IFLA_LINKINFO);
  assert.equal(textOf(decodeAttributes(outer.payload)[0]?.payload ?? new Uint8Array(0)), "veth");
});
