// The addon's functions for sockets, options, moving bytes, ownership, readiness and the loop with every argument that no sound program passes: each
// answers with a number, -EINVAL or -EFAULT as berkeley.h promises, runs no code of the caller's, and the process lives.

import assert from "node:assert/strict";
import { closeSync, openSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { AF_INET, EBADF, EFAULT, EINVAL, SHUT_RDWR, SOCK_STREAM, SOL_SOCKET, SO_RCVBUF } from "berkeley";
import { native } from "#dist/native.js";
import { EMPTIED, NEITHER, NO_INTS, OUTSIDE, SOUND, loadOnto, ran } from "../support/addon.ts";
import type { Anything } from "../support/addon.ts";
import { Random } from "../support/random.ts";

/** What an argument is: a slice is a view with an offset and a length behind it, a start one with a length alone. */
type Kind = "fd" | "int" | "long" | "slice" | "start" | "out" | "events" | "function";

const FUNCTIONS: Readonly<Record<string, readonly Kind[]>> = {
  socket: ["int", "int", "int"],
  bind: ["fd", "slice"],
  listen: ["fd", "int"],
  accept: ["fd", "out"],
  accept_nameless: ["fd"],
  connect: ["fd", "slice"],
  recv: ["fd", "slice", "int"],
  send: ["fd", "slice", "int"],
  shutdown: ["fd", "int"],
  getsockname: ["fd", "out"],
  getpeername: ["fd", "out"],
  getsockopt: ["fd", "int", "int", "slice"],
  setsockopt: ["fd", "int", "int", "slice"],
  setsockopt_null: ["fd", "int", "int", "int"],
  setsockopt_program: ["fd", "int", "int", "slice"],
  recvfrom: ["fd", "slice", "int", "out"],
  sendto: ["fd", "slice", "int", "start"],
  sendfile: ["fd", "fd", "long", "long"],
  splice: ["fd", "fd", "long"],
  read: ["fd", "slice"],
  set_pipe_size: ["fd", "int"],
  sockatmark: ["fd"],
  siocinq: ["fd"],
  siocoutq: ["fd"],
  siocoutqnsd: ["fd"],
  close: ["fd"],
  dup: ["fd"],
  adopt: ["fd"],
  disown: ["fd"],
  set_blocking: ["fd", "int"],
  set_inheritable: ["fd", "int"],
  get_inheritable: ["fd"],
  readiness_watch: ["fd", "fd", "int", "long", "long"],
  readiness_change: ["fd", "fd", "int", "long", "long"],
  readiness_forget: ["fd", "fd"],
  readiness_wait: ["fd", "events"],
  loop_start: ["fd", "function"],
};
/** Those that know of no descriptor whether it is open; splice(2) of nothing does not look. */
const BLIND = new Set(["disown", "splice"]);

/** Functions whose hostile arguments another file beside this one has, and those that take none. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  messages: "recvmsg sendmsg socketpair",
  batches: "recvmmsg sendmmsg",
  moving: "pipe",
  polling: "poll select",
  names:
    "lookup_open lookup_cancel getaddrinfo getaddrinfo_now getnameinfo getnameinfo_now gethostbyname " +
    "gethostbyname_now gethostbyaddr gethostbyaddr_now sethostname getservbyname getservbyport getprotobyname " +
    "if_nametoindex if_indextoname inet_aton cmsg_len cmsg_space strerror gai_strerror",
  "": "readiness_open loop_ref loop_unref lookup_ref lookup_unref gethostname if_nameindex",
};

/** Kinds whose first value is a view. */
const VIEWS: ReadonlySet<string> = new Set(["slice", "start", "out", "events"]);

const addon = native as unknown as Anything;
let fd = -1;
let closed = -1;

before(() => {
  fd = native.socket(AF_INET, SOCK_STREAM, 0);
  closed = openSync("/dev/null", "r");
  closeSync(closed);
});
after(() => {
  native.close(fd);
  assert.equal(ran.times, 0, "no code of the caller's was run");
});

/** One argument's values, sound for its kind; a slice is three. */
function sound(kind: Kind, descriptor = fd, view: ArrayBufferView = new Uint8Array(256)): unknown[] {
  if (kind === "slice") return [view, 0, 256];
  if (kind === "start") return [view, 256];
  if (kind === "out" || kind === "events") return [view];
  if (kind === "function") return [() => undefined];
  return [kind === "fd" ? descriptor : 0];
}

/** Arguments that are sound all but one, which is replaced; and what kind of value stood there. */
function* replaced(
  kinds: readonly Kind[],
): Generator<{ kind: Kind | "offset" | "length"; withValue: (value: unknown) => unknown[] }> {
  const all = kinds.map((kind) => ({ kind, values: sound(kind, closed) }));
  for (const [at, { kind, values }] of all.entries())
    for (const place of values.keys()) {
      const part = place === 0 ? kind : place === values.length - 1 ? "length" : "offset";
      yield {
        kind: part,
        withValue: (value) =>
          all.flatMap((argument, index) =>
            index === at ? argument.values.with(place, value) : argument.values,
          ),
      };
    }
}

/** The answer, which must be a number. */
function ask(name: string, values: readonly unknown[]): number {
  const answer = addon[name]?.(...values);
  assert.equal(typeof answer, "number", name);
  assert.ok(Number.isInteger(answer), `${name}: ${String(answer)}`);
  return answer as number;
}

test("every function of the addon is held to hostile arguments, here or beside", () => {
  const held = [...Object.keys(FUNCTIONS), ...Object.values(ELSEWHERE).flatMap((names) => names.split(" "))];
  const all = Object.entries(addon).filter(([, value]) => typeof value === "function");
  assert.deepEqual(held.toSorted(), all.map(([name]) => name).toSorted());
  for (const [file, names] of Object.entries(ELSEWHERE)) {
    if (file === "") continue;
    const text = readFileSync(new URL(`${file}.test.js`, import.meta.url), "utf8");
    for (const name of names.split(" "))
      assert.match(text, new RegExp(`\\b${name}\\b`), `${name} in ${file}`);
  }
});

test("splice() answers with -EBADF when a descriptor is not open", () => {
  for (const descriptor of [closed, -1]) assert.equal(ask("splice", [descriptor, descriptor, 1]), -EBADF);
});

for (const [name, kinds] of Object.entries(FUNCTIONS)) {
  test(`${name}() answers with -EINVAL when an argument is of another kind`, () => {
    for (const { kind, withValue } of replaced(kinds))
      for (const value of [...NEITHER, kind === "function" ? 5 : () => undefined]) {
        if (kind === "function" && typeof value === "function") continue;
        assert.equal(ask(name, withValue(value)), -EINVAL, `${kind}: ${typeof value}`);
      }
  });

  test(`${name}() answers with -EINVAL when a number is no int, or a view stands for a number`, () => {
    for (const { kind, withValue } of replaced(kinds)) {
      if (VIEWS.has(kind)) {
        for (const value of [0, 1, Number.NaN]) assert.equal(ask(name, withValue(value)), -EINVAL, kind);
        continue;
      }
      for (const make of Object.values(SOUND)) assert.equal(ask(name, withValue(make())), -EINVAL, kind);
      if (kind === "function") continue;
      const whole = kind === "fd" || kind === "int";
      const wrong = NO_INTS.filter((value) => whole || !Number.isSafeInteger(value));
      for (const value of wrong) assert.equal(ask(name, withValue(value)), -EINVAL, `${kind}: ${value}`);
    }
  });

  test(`${name}() answers with -EFAULT when a place or length is outside the view`, () => {
    for (const { kind, withValue } of replaced(kinds))
      if (kind === "offset" || kind === "length")
        for (const value of OUTSIDE) assert.equal(ask(name, withValue(value)), -EFAULT, `${kind}: ${value}`);
      else if (VIEWS.has(kind))
        for (const [what, make] of Object.entries(EMPTIED))
          assert.equal(ask(name, withValue(make())), -EFAULT, `${kind}: ${what}`);
  });

  test(`${name}() answers with -EINVAL without an argument, and leaves out what is too many`, () => {
    const values = kinds.flatMap((kind) => sound(kind, closed));
    for (let count = 0; count < values.length; count++)
      assert.equal(ask(name, values.slice(0, count)), -EINVAL, `${count} arguments`);
    if (name === "socket") values[0] = 12_345; // refused by the system
    const answer = ask(name, values);
    const more = Array.from({ length: 100 }, () => NEITHER).flat();
    assert.equal(ask(name, [...values, ...more]), answer);
  });

  if (kinds.includes("fd") && !BLIND.has(name) && name !== "loop_start")
    test(`${name}() answers with -EBADF when the descriptor is not open`, () => {
      const views = Object.values(SOUND);
      for (const descriptor of [closed, -1, -2, 2 ** 31 - 1, -(2 ** 31)])
        for (const make of views) {
          const values = kinds.flatMap((kind) =>
            kind === "slice"
              ? [make(), 0, 100]
              : kind === "start"
                ? [make(), 100]
                : sound(kind, descriptor, make()),
          );
          assert.equal(ask(name, values), -EBADF, String(descriptor));
        }
    });
}

test("loop_start() answers with -errno when the descriptor cannot be watched", () => {
  const fresh: Anything = {};
  loadOnto(fresh);
  for (const descriptor of [closed, -1, 2 ** 31 - 1])
    assert.ok((fresh["loop_start"]?.(descriptor, () => undefined) as number) < 0);
  const file = openSync("/dev/null", "r");
  assert.ok((fresh["loop_start"]?.(file, () => undefined) as number) < 0);
  closeSync(file);
  assert.equal(fresh["loop_ref"]?.(), -EINVAL, "nothing was started");
  assert.equal(fresh["loop_unref"]?.(), -EINVAL);
});

test("bind() and connect() answer with -EINVAL when the address is longer than any", () => {
  const long = new Uint8Array(1000);
  for (const length of [129, 1000])
    for (const name of ["bind", "connect"]) assert.equal(ask(name, [fd, long, 0, length]), -EINVAL);
});

test("accept(), getsockname() and getpeername() answer with -EFAULT when there is no room for an address", () => {
  for (const name of ["accept", "getsockname", "getpeername"])
    for (const size of [0, 1, 16, 127, 128, 131])
      assert.equal(ask(name, [fd, new Uint8Array(size)]), -EFAULT);
});

test("readiness_wait() answers with -EFAULT when there is no room for an event", () => {
  const poller = native.readiness_open();
  for (const size of [0, 1, 11]) assert.equal(ask("readiness_wait", [poller, new Uint8Array(size)]), -EFAULT);
  native.close(poller);
});

test("functions work however they are called: as methods of anything, as constructors, by Reflect", () => {
  for (const name of Object.keys(FUNCTIONS)) {
    const call = addon[name] as (...values: unknown[]) => unknown;
    for (const receiver of [undefined, null, 1, "x", Symbol("x"), Object.freeze({}), new Proxy({}, {}), call])
      assert.equal(Reflect.apply(call, receiver, []), -EINVAL);
    assert.equal(typeof Reflect.construct(call, []), "object");
    assert.equal(typeof Reflect.construct(call, [closed], Map), "object");
  }
});

test("the addon loads onto exports that are frozen, a Proxy, or throw, and the process lives", () => {
  const throwing = new Proxy(
    {},
    {
      set() {
        throw new Error("no more");
      },
      defineProperty() {
        throw new Error("no more");
      },
    },
  );
  for (const exports of [Object.freeze({}), new Proxy({}, {}), throwing])
    try {
      loadOnto(exports);
    } catch (error) {
      assert.equal((error as Error).message, "no more");
    }
  assert.equal(ask("recv", []), -EINVAL);
});

test("calls with arguments at random, 30,000 of them, all answer with a number", (t) => {
  const random = new Random();
  t.diagnostic(`FUZZ_SEED=${random.seed}`);
  const poller = native.readiness_open();
  const pool = Array.from({ length: 8 }, () => native.socket(AF_INET, SOCK_STREAM, 0));
  const small = [0, 1, 2, 3, 5, 8, 12, 16, 100, 255, 256];
  const views = [...Object.values(SOUND), ...Object.values(EMPTIED)];
  const value = (kind: Kind | "place"): unknown => {
    if (random.onceIn(8)) return random.pick([...NEITHER, ...NO_INTS, ...OUTSIDE]);
    if (kind === "fd") return random.pick([...pool, poller, closed, -1]);
    if (VIEWS.has(kind)) return random.pick(views)();
    return random.pick(small);
  };
  // Not those that make, close or take over descriptors, nor the one after which accept(2) would wait.
  const left = new Set(["socket", "close", "dup", "adopt", "loop_start", "set_blocking"]);
  const names = Object.keys(FUNCTIONS).filter((name) => !left.has(name));
  for (let calls = 0; calls < 30_000; calls++) {
    const name = random.pick(names);
    const kinds = FUNCTIONS[name] as readonly Kind[];
    const values = kinds.flatMap((kind) =>
      kind === "slice" || kind === "start"
        ? [value(kind), ...(kind === "slice" ? [value("place")] : []), value("place")]
        : [value(kind)],
    );
    ask(name, random.onceIn(10) ? values.slice(0, random.below(values.length)) : values);
  }
  for (const descriptor of [...pool, poller]) assert.equal(native.close(descriptor), 0);
});

test("socket functions do what they are asked when all is sound", () => {
  const answer = new Uint8Array(4);
  assert.equal(
    ask("setsockopt", [fd, SOL_SOCKET, SO_RCVBUF, new Uint8Array(new Int32Array([5000]).buffer), 0, 4]),
    0,
  );
  assert.equal(ask("getsockopt", [fd, SOL_SOCKET, SO_RCVBUF, answer, 0, 4]), 4);
  assert.ok((new Int32Array(answer.buffer)[0] as number) >= 5000);
  assert.equal(ask("get_inheritable", [fd]), 0);
  assert.equal(ask("set_inheritable", [fd, 1]), 0);
  assert.equal(ask("get_inheritable", [fd]), 1);
  assert.equal(ask("set_inheritable", [fd, 0]), 0);
  assert.ok(ask("shutdown", [fd, SHUT_RDWR]) < 0, "not connected");
});
