// serve() with lightGlobals: what the global names mean then, in this process and for good.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Response as LightResponse } from "berkeley/http";
import { get, serving } from "./serving.ts";
import { requestTests } from "./light-request.ts";

const RuntimeResponse = globalThis.Response;
const RuntimeRequest = globalThis.Request;

test("serve() replaces the global Response with lightGlobals, and not without", async () => {
  {
    await using _ = await serving({ fetch: () => new Response("a") });
    assert.equal(globalThis.Response, RuntimeResponse);
  }
  await using at = await serving({ lightGlobals: true, fetch: () => new Response("a") });
  assert.equal(globalThis.Response, LightResponse);
  await using client = await at.connect();
  await client.send(get());
  assert.equal((await client.answer()).text, "a");
});

test("instanceof holds for the runtime's own objects with lightGlobals, and for fetch()'s", async () => {
  await using at = await serving({ lightGlobals: true, fetch: () => new Response("a") });
  assert.ok(new RuntimeResponse() instanceof Response);
  assert.ok(new RuntimeRequest("http://a/") instanceof Request);
  assert.ok(new Request("http://a/") instanceof RuntimeRequest);
  assert.equal(new Request("http://a/b", { method: "POST", body: "c" }).url, "http://a/b");
  const fetched = await fetch(at.url);
  assert.ok(fetched instanceof Response);
  assert.equal(await fetched.text(), "a");
});

requestTests("with lightGlobals", { lightGlobals: true });
