// request() against servers that break the rules, die or lie: every malformed response is refused and its connection closed;
// what comes behind an answer never becomes the next one; what may be sent again is, once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { RemoteProtocolError } from "berkeley/wire";
import { deliveries } from "../file/deliveries.ts";
import { program } from "../support/program.ts";
import { MALFORMED } from "./malformed.ts";
import { latin1 } from "./parsing.ts";
import { answer, playing } from "./requesting.ts";
import type { Played } from "./requesting.ts";

const responses = MALFORMED.filter(({ answers }) => answers !== undefined);
const families = new Map<string, typeof responses>();
for (const one of responses) families.set(one.family, [...(families.get(one.family) ?? []), one]);

for (const [family, cases] of families)
  test(`request() refuses each of ${cases.length} responses of the family "${family}", and closes`, async () => {
    for (const { name, text, code, answers, ends, limits } of cases) {
      // What answers no request closes an idle connection; it is tested below.
      if (family === "unexpected response" && code === "ERR_HTTP_UNEXPECTED_RESPONSE") continue;
      await using play = playing(limits === undefined ? {} : { limits });
      const done = (async (): Promise<unknown> => {
        const response = await play.client.request("http://a/", { method: answers as string });
        return await response.bytes();
      })().catch((error: unknown) => error);
      const peer = await play.accept();
      await peer.answer(text);
      if (ends === true) await peer.stream.closeWrite();
      const error = await done;
      assert.ok(error instanceof RemoteProtocolError, `not refused: ${name}`);
      assert.equal(error.code, code, name);
      await peer.closed();
      assert.equal(play.client.stats().connections, 0, name);
    }
  });

for (const [how, cut] of Object.entries(deliveries))
  test(`request() reads an answer that is delivered ${how}`, async () => {
    await using play = playing();
    const text =
      "HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n" +
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n3;a=b\r\nabc\r\n4\r\ndefg\r\n0\r\nT: u\r\n\r\n";
    let peer: Played | undefined;
    for (let round = 0; round < 2; round++) {
      const pending = play.client.request("http://a/");
      const read = (async (): Promise<void> => {
        const response = await pending;
        assert.equal(response.headers.get("x"), "y");
        assert.equal(await response.text(), "abcdefg");
        assert.equal(response.trailers.get("t"), "u");
      })();
      peer ??= await play.accept();
      await peer.head();
      for (const piece of cut(latin1(text))) await peer.stream.sendAll(piece);
      await read;
    }
    assert.equal(play.made, 1);
  });

for (const [what, beside] of [
  ["a whole answer", answer("poison")],
  ["the beginning of one", "HTTP/1.1 200"],
  ["an empty line", "\r\n"],
  ["a byte", "x"],
] as const) {
  test(`${what} that comes with an answer, behind its end, does not reach the next request`, async () => {
    await using play = playing();
    const pending = play.client.request("http://a/1");
    const peer = await play.accept();
    await peer.answer(answer("one") + beside);
    assert.equal(await (await pending).text(), "one");
    await peer.closed();
    const next = play.client.request("http://a/2");
    await (await play.accept()).answer(answer("two"));
    assert.equal(await (await next).text(), "two");
  });

  test(`${what} that comes while nothing was asked for closes the connection`, async () => {
    await using play = playing();
    const pending = play.client.request("http://a/1");
    const peer = await play.accept();
    await peer.answer(answer("one"));
    assert.equal(await (await pending).text(), "one");
    await peer.send(beside);
    await peer.closed();
    assert.equal(play.client.stats().connections, 0);
    const next = play.client.request("http://a/2");
    await (await play.accept()).answer(answer("two"));
    assert.equal(await (await next).text(), "two");
  });
}

test("what comes behind a content that is streamed does not reach the next request", async () => {
  await using play = playing();
  const pending = play.client.request("http://a/1");
  const peer = await play.accept();
  await peer.answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
  const response = await pending;
  await peer.send(`one${answer("poison")}`);
  assert.equal(await response.text(), "one");
  await peer.closed();
});

test("an answer in thousands of tiny chunks is taken apart as it is read", async () => {
  await using play = playing();
  const pending = play.client.request("http://a/");
  const peer = await play.accept();
  const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${"1\r\na\r\n".repeat(20_000)}0\r\n\r\n`;
  const answered = peer.answer(text);
  assert.equal((await (await pending).bytes()).length, 20_000);
  await answered;
  assert.equal(play.client.stats().idle, 1);
});

// A kept connection dies while the next request is on its way.
for (const method of ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"])
  test(`request() sends ${method} once more when the kept connection had died`, async () => {
    await using play = playing();
    const pending = play.client.request("http://a/1");
    const old = await play.accept();
    await old.answer(answer(""));
    await pending;
    const body = method === "PUT" ? "abc" : undefined;
    const next = play.client.request("http://a/2", { method, body });
    await old.head();
    old.stream.close();
    const peer = await play.accept();
    await peer.head();
    if (body !== undefined) assert.equal(await peer.bytes(3), body);
    await peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    assert.equal((await next).status, 204);
    assert.equal(play.made, 2);
  });

const notAgain: readonly (readonly [string, { method: string; body?: string | string[] }, string])[] = [
  ["POST", { method: "POST", body: "abc" }, ""],
  ["PATCH", { method: "PATCH", body: "abc" }, ""],
  ["a method that it does not know", { method: "X" }, ""],
  ["a content that can be read once", { method: "PUT", body: ["abc"] }, ""],
  ["what was answered in part", { method: "GET" }, "HTTP/1.1 200"],
];
for (const [what, options, begun] of notAgain)
  test(`request() does not send ${what} again`, async () => {
    await using play = playing();
    const pending = play.client.request("http://a/1");
    const old = await play.accept();
    await old.answer(answer(""));
    await pending;
    const next = play.client.request("http://a/2", options);
    await old.head();
    await old.send(begun);
    old.stream.close();
    await assert.rejects(next, { code: "ERR_HTTP_UNEXPECTED_END" });
    assert.equal(play.made, 1);
  });

test("request() does not send again what the first use of a connection did not answer", async () => {
  await using play = playing();
  const pending = play.client.request("http://a/1");
  const peer = await play.accept();
  await peer.head();
  peer.stream.close();
  await assert.rejects(pending, { code: "ERR_HTTP_UNEXPECTED_END" });
  assert.equal(play.made, 1);
});

test("request() takes a new connection to send again, for the other kept ones may be dead too", async () => {
  await using play = playing({ connectionsMax: 2 });
  const both = [play.client.request("http://a/1"), play.client.request("http://a/2")];
  const peers = [await play.accept(), await play.accept()];
  for (const peer of peers) await peer.answer(answer(""));
  await Promise.all(both);
  const next = play.client.request("http://a/3");
  await peers[1]?.head();
  peers[1]?.stream.close();
  const fresh = await play.accept();
  await fresh.answer(answer("three"));
  assert.equal(await (await next).text(), "three");
  assert.equal(play.made, 3);
});

test("a kept connection that the server ends is forgotten before it is used", async () => {
  await using play = playing();
  const pending = play.client.request("http://a/1");
  const peer = await play.accept();
  await peer.answer(answer(""));
  await pending;
  await peer.stream.closeWrite();
  await peer.closed();
  assert.equal(play.client.stats().connections, 0);
});

test("a response that nobody holds any more gives its connection back", async () => {
  await using child = program(import.meta.url, "client-forgotten-child", { node: ["--expose-gc"] });
  assert.equal((await child.succeeded()).stdout.toString(), "closed\n");
});

test("kept connections hold no process alive", async () => {
  await using child = program(import.meta.url, "client-idle-child");
  assert.equal((await child.succeeded()).stdout.toString(), "hello\n");
});
