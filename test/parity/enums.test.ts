// AddressFamily, SocketKind, MsgFlag and AddressInfo: numbers by name, names by number; the same as CPython's of the same
// name as far as that has them.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as berkeley from "berkeley";
import {
  AF_INET,
  AF_LOCAL,
  AF_ROUTE,
  AF_UNIX,
  AI_PASSIVE,
  AddressFamily,
  AddressInfo,
  MSG_PEEK,
  MSG_TRUNC,
  MsgFlag,
  SOCK_DGRAM,
  SocketKind,
  getaddrinfo,
} from "berkeley";
import type { AddressInfo as Entry } from "berkeley";
import { askPython, python3 } from "../support/ask-python.ts";

const OURS: Readonly<Record<string, Readonly<Record<string | number, string | number>>>> = {
  AddressFamily,
  SocketKind,
  MsgFlag,
  AddressInfo,
};

test("AddressFamily, SocketKind, MsgFlag and AddressInfo give numbers by name and names by number", () => {
  const family: number = AddressFamily.AF_INET;
  assert.equal(family, AF_INET);
  assert.equal(AddressFamily[AF_INET], "AF_INET");
  assert.equal(SocketKind[SOCK_DGRAM], "SOCK_DGRAM");
  assert.equal(MsgFlag[MSG_TRUNC], "MSG_TRUNC");
  assert.equal(AddressInfo[AI_PASSIVE], "AI_PASSIVE");
  assert.equal(AddressFamily[12_345], undefined);
  assert.equal(MsgFlag[MSG_TRUNC | MSG_PEEK], undefined);
  // @ts-expect-error A constant of another kind.
  assert.equal(SocketKind.AF_INET, undefined);
});

test("AddressFamily gives the usual name of a number that has two, and no name for what this system lacks", () => {
  assert.equal(AddressFamily[AF_LOCAL], "AF_UNIX");
  assert.equal(AddressFamily[AF_UNIX], "AF_UNIX");
  assert.equal(AddressFamily[AF_ROUTE], "AF_NETLINK");
  for (const [name, table] of Object.entries(OURS)) assert.equal(table[-1], undefined, name);
});

test("the names of numbers hold every constant of their prefix, and cannot be changed", () => {
  // SOCK_BUF_LOCK_MASK and its like are values of options.
  const prefixes = {
    AddressFamily: /^AF_/,
    SocketKind: /^SOCK_[A-Z]+$/,
    MsgFlag: /^MSG_/,
    AddressInfo: /^AI_/,
  };
  for (const [name, prefix] of Object.entries(prefixes)) {
    const table = OURS[name] as Readonly<Record<string, number>>;
    assert.deepEqual(
      Object.keys(table)
        .filter((key) => Number.isNaN(Number(key)))
        .toSorted(),
      Object.keys(berkeley)
        .filter((key) => prefix.test(key))
        .toSorted(),
    );
    assert.throws(() => Object.assign(table, { OTHER: 1 }), TypeError);
    assert.equal("toString" in table, false);
  }
});

test("the type AddressInfo is what getaddrinfo() gives", async () => {
  const [entry] = await getaddrinfo("127.0.0.1", 1, { flags: AddressInfo.AI_NUMERICHOST });
  const typed = entry as Entry;
  assert.equal(typed[0], AF_INET);
});

test("AddressFamily, SocketKind, MsgFlag and AddressInfo have the members that CPython's have", {
  skip: python3.skip,
}, () => {
  const theirs = askPython(`
enums = [socket.AddressFamily, socket.SocketKind, socket.MsgFlag, socket.AddressInfo]
print(json.dumps({e.__name__: {name: int(value) for name, value in e.__members__.items()} for e in enums}))`);
  for (const [name, members] of Object.entries(theirs as Record<string, Record<string, number>>))
    for (const [member, number] of Object.entries(members))
      assert.equal(OURS[name]?.[member], number, `${name}.${member}`);
  const named = askPython(`print(json.dumps({int(f): f.name for f in socket.AddressFamily}))`);
  for (const [number, name] of Object.entries(named as Record<string, string>))
    assert.equal(AddressFamily[Number(number)], name);
});
