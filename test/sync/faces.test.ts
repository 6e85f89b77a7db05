// The two faces: the same names and methods in both, values instead of promises in one, and each entry point alone.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import * as promises from "berkeley";
import * as values from "berkeley/sync";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";

/** What one blocked thread cannot do: two directions at once. */
const NEVER_BLOCKING: readonly string[] = ["relay"];

test("berkeley/sync exports the names of berkeley, and no others", () => {
  assert.deepEqual(
    Object.keys(values).toSorted(),
    Object.keys(promises)
      .filter((name) => !NEVER_BLOCKING.includes(name))
      .toSorted(),
  );
});

/** The methods and accessors of a class and those below it. */
function membersOf(made: { readonly prototype: object }): Set<PropertyKey> {
  const names = new Set<PropertyKey>();
  for (
    let at: object | null = made.prototype;
    at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object
  )
    for (const name of Reflect.ownKeys(at)) names.add(name);
  return names;
}

/** What makes sense only where the event loop goes on, and what iterates in each face. */
const OF_PROMISES: PropertyKey[] = ["ref", "unref", Symbol.asyncDispose, Symbol.asyncIterator];
const OF_VALUES: PropertyKey[] = [Symbol.iterator];

test("Socket has the same methods in both faces, but for the event loop's and iteration", () => {
  const there = membersOf(promises.Socket);
  const here = membersOf(values.Socket);
  assert.deepEqual(new Set([...there].filter((name) => !here.has(name))), new Set(OF_PROMISES));
  assert.deepEqual(new Set([...here].filter((name) => !there.has(name))), new Set(OF_VALUES));
});

test("the errors, constants and aliases of both faces are the same", () => {
  assert.equal(values.SocketError, promises.SocketError);
  assert.equal(values.TimeoutError, promises.TimeoutError);
  assert.equal(values.AddressError, promises.AddressError);
  assert.equal(values.SO_REUSEADDR, promises.SO_REUSEADDR);
  assert.equal(values.error, values.SocketError);
  assert.equal(values.timeout, values.TimeoutError);
  assert.equal(values.gaierror, values.AddressError);
  assert.equal(values.herror, values.AddressError);
  assert.equal(values.SocketType, values.Socket);
  assert.equal(promises.SocketType, promises.Socket);
});

test("the types of berkeley/sync are values, and take no signal", () => {
  const [a, b] = values.socketpair();
  const sent: number = a.send("ab");
  const none: void = a.sendall("c");
  const received: Buffer = b.recv(sent);
  assert.deepEqual([sent, none, received.toString()], [2, undefined, "ab"]);
  assert.throws(
    () => {
      // @ts-expect-error There is no signal where the thread is blocked.
      b.recv(1, 0, { signal: AbortSignal.abort() });
    },
    { name: "TypeError", code: "ERR_INVALID_ARG_TYPE", message: /no signal can fire/ },
  );
  assert.throws(
    () => {
      // @ts-expect-error Nor here.
      values.create_connection(["127.0.0.1", 1], { signal: AbortSignal.abort() });
    },
    { code: "ERR_INVALID_ARG_TYPE" },
  );
  assert.equal(b.recv(1).toString(), "c", "the refused calls took nothing");
  a.close();
  b.close();
});

/** All modules of dist/ that a module of it loads, itself included. */
function loadedBy(entry: string): Set<string> {
  const found = new Set<string>();
  const queue = [resolve(ROOT, "dist", entry)];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    const name = relative(resolve(ROOT, "dist"), path);
    if (found.has(name)) continue;
    found.add(name);
    for (const [, from] of readFileSync(path, "utf8").matchAll(/^(?:import|export)[^"';]*"(\.[^"]+)";/gm))
      queue.push(resolve(dirname(path), from as string));
  }
  return found;
}

test("an entry point loads nothing of the others", () => {
  const sync = loadedBy("sync/index.js");
  const selectors = loadedBy("selectors/index.js");
  const socket = loadedBy("index.js");
  assert.ok(
    sync.has("sync/socket.js") && selectors.has("selectors/base.js") && socket.has("socket/socket.js"),
  );
  const of = (found: Set<string>, part: string): string[] =>
    [...found].filter((name) => name.startsWith(part));
  assert.deepEqual([...of(sync, "selectors/"), ...of(sync, "index.js"), ...of(sync, "socket/socket.js")], []);
  assert.deepEqual([...of(socket, "selectors/"), ...of(socket, "sync/")], []);
  assert.deepEqual(
    [...of(selectors, "sync/"), ...of(selectors, "index.js"), ...of(selectors, "socket/base.js")],
    [],
  );
});

test("sockets that block open no poller and hold no event loop", {
  skip: process.platform !== "linux",
}, async () => {
  await using child = start(process.execPath, [fileURLToPath(new URL("loop-child.js", import.meta.url))]);
  const { stdout } = await child.succeeded();
  assert.equal(stdout.toString(), "0 pollers more\nended with an open listener\n");
});
