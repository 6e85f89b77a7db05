// Time and signals of request(): each phase has its limit, and a signal ends what is under way wherever it is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpClient, RequestTimeoutError } from "berkeley/http";
import type { ClientOptions, HttpHandler, RequestPhase } from "berkeley/http";
import { memoryPair } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { listenAt } from "../support/berkeley-tcp.ts";
import { gate, until } from "../server/support.ts";
import { playing } from "./requesting.ts";
import { serving } from "./serving.ts";

const SHORT_MS = 30;

function isTimeout(phase: RequestPhase): (error: unknown) => true {
  return (error) => {
    assert.ok(error instanceof RequestTimeoutError, String(error));
    assert.equal(error.name, "RequestTimeoutError");
    assert.equal(error.code, "ERR_HTTP_TIMEOUT");
    assert.equal(error.phase, phase);
    assert.equal(error.timeoutMs, SHORT_MS);
    return true;
  };
}

const silent: HttpHandler = () => new Promise(() => {});
const begun: HttpHandler = async (_, reply) => {
  reply.begin(200, {});
  await reply.write("abc");
  await new Promise(() => {});
};

for (const where of ["the client", "the request"]) {
  const both = (options: ClientOptions): [ClientOptions, ClientOptions] =>
    where === "the client" ? [options, {}] : [{}, options];

  test(`headTimeoutMs of ${where} ends a request that is not answered`, async () => {
    await using at = await serving({ handle: silent });
    const [forClient, forRequest] = both({ headTimeoutMs: SHORT_MS });
    await using client = new HttpClient(forClient);
    await assert.rejects(client.request(at.url, forRequest), isTimeout("head"));
    assert.equal(client.stats().connections, 0);
  });

  test(`bodyTimeoutMs of ${where} ends a content that does not go on`, async () => {
    await using at = await serving({ handle: begun });
    const [forClient, forRequest] = both({ bodyTimeoutMs: SHORT_MS });
    await using client = new HttpClient(forClient);
    const response = await client.request(at.url, forRequest);
    assert.equal(String(await response.read()), "abc");
    await assert.rejects(response.read(), isTimeout("body"));
  });

  test(`totalTimeoutMs of ${where} ends it before the head, and in the content`, async () => {
    await using at = await serving({
      handle: (asked, reply) => (asked.path === "/" ? silent : begun)(asked, reply),
    });
    const [forClient, forRequest] = both({ totalTimeoutMs: SHORT_MS });
    await using client = new HttpClient(forClient);
    await assert.rejects(client.request(at.url, forRequest), isTimeout("total"));
    const response = await client.request(`${at.url}/begun`, forRequest);
    await assert.rejects(response.text(), isTimeout("total"));
  });

  test(`sendTimeoutMs of ${where} ends a request that nobody receives`, async () => {
    using listener = listenAt();
    const [forClient, forRequest] = both({ sendTimeoutMs: SHORT_MS });
    await using client = new HttpClient(forClient);
    const body = Buffer.alloc(50_000_000);
    const url = `http://127.0.0.1:${listener.port}/`;
    const pending = client.request(url, { method: "PUT", body, ...forRequest });
    const [, conn] = await Promise.all([assert.rejects(pending, isTimeout("send")), listener.accept()]);
    conn.close();
  });
}

test("totalTimeoutMs ends a request that waits for a connection", async () => {
  await using at = await serving({ handle: silent });
  await using client = new HttpClient({ connectionsMax: 1 });
  const first = client.request(at.url);
  await assert.rejects(client.request(at.url, { totalTimeoutMs: SHORT_MS }), isTimeout("total"));
  client.close();
  await assert.rejects(first, { code: "ERR_HTTP_CLIENT_CLOSED" });
});

test("connectTimeoutMs ends an attempt that heeds no signal, and a stream that comes late is closed", async () => {
  let arrive: (stream: ByteStream) => void = () => {};
  const late = new Promise<ByteStream>((resolve) => (arrive = resolve));
  await using client = new HttpClient({ connect: () => late, connectTimeoutMs: SHORT_MS });
  await assert.rejects(client.request("http://a/"), isTimeout("connect"));
  const [stream] = memoryPair();
  arrive(stream);
  await until(() => stream.closed);
});

test("keepAliveTimeoutMs closes a connection that is idle", async () => {
  await using at = await serving({ handle: (_, reply) => reply.send(200) });
  await using client = new HttpClient({ keepAliveTimeoutMs: SHORT_MS });
  await client.request(at.url);
  assert.equal(client.stats().connections, 1);
  await until(() => client.stats().connections === 0);
});

test("a signal ends a request that is not answered, with its reason", async () => {
  await using at = await serving({ handle: silent });
  await using client = new HttpClient();
  const controller = new AbortController();
  const pending = client.request(at.url, { signal: controller.signal });
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(pending, reason);
  await assert.rejects(client.request(at.url, { signal: controller.signal }), reason);
});

test("a signal ends a request that was sent, and one whose content is read", async () => {
  const reached = gate();
  await using at = await serving({
    handle: (asked, reply) => {
      reached.open();
      return (asked.path === "/" ? silent : begun)(asked, reply);
    },
  });
  await using client = new HttpClient();
  const reason = new Error("enough");
  const one = new AbortController();
  const pending = client.request(at.url, { signal: one.signal });
  await reached.opened;
  one.abort(reason);
  await assert.rejects(pending, reason);
  const two = new AbortController();
  const response = await client.request(`${at.url}/begun`, { signal: two.signal });
  assert.equal(String(await response.read()), "abc");
  const rest = response.read();
  two.abort(reason);
  await assert.rejects(rest, reason);
  await assert.rejects(response.read(), reason);
  assert.equal(client.stats().connections, 0);
});

test("a signal takes a request out of the queue, and the others are served", async () => {
  await using play = playing({ connectionsMax: 1 });
  const first = play.client.request("http://a/1");
  const peer = await play.accept();
  const controller = new AbortController();
  const second = play.client.request("http://a/2", { signal: controller.signal });
  const third = play.client.request("http://a/3");
  controller.abort(new Error("enough"));
  await assert.rejects(second, /enough/);
  await peer.answer("HTTP/1.1 204 No Content\r\n\r\n");
  assert.match(await peer.answer("HTTP/1.1 204 No Content\r\n\r\n"), /^GET \/3 /);
  await Promise.all([first, third]);
});

test("a signal ends the connecting when nobody else waits for it", async () => {
  const aborted = gate();
  await using client = new HttpClient({
    connect: (_, { signal }) => {
      signal.addEventListener("abort", () => aborted.open());
      return new Promise(() => {});
    },
  });
  const controller = new AbortController();
  const pending = client.request("http://a/", { signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(pending, /enough/);
  await aborted.opened;
  assert.deepEqual(client.stats(), { connections: 0, idle: 0, connecting: 0, waiting: 0 });
});

test("a signal that fires when all is over changes nothing", async () => {
  await using at = await serving({ handle: (_, reply) => reply.send(200, {}, "hello") });
  await using client = new HttpClient();
  const controller = new AbortController();
  const response = await client.request(at.url, { signal: controller.signal });
  controller.abort();
  assert.equal(await response.text(), "hello");
  assert.equal(client.stats().idle, 1);
});

test("request() rejects with ECONNREFUSED for each request when nobody listens", async () => {
  const listener = listenAt();
  const { port } = listener;
  listener[Symbol.dispose]();
  await using client = new HttpClient({ connectionsMax: 2 });
  const all = [1, 2, 3, 4].map(() => client.request(`http://127.0.0.1:${port}/`));
  for (const one of all) await assert.rejects(one, { name: "ConnectError", code: "ECONNREFUSED" });
  assert.deepEqual(client.stats(), { connections: 0, idle: 0, connecting: 0, waiting: 0 });
});
