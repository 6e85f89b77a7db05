// The opening handshake, pure: what is asked, what is answered, and what each side refuses of the other.

import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpFields } from "berkeley/http";
import {
  acceptDeflate,
  acceptOf,
  makeKey,
  offerDeflate,
  readAnswer,
  readDeflate,
  readHandshake,
  requestFields,
  responseFields,
  statusOfHandshakeRefusal,
} from "berkeley/websocket";
import type { DeflateWishes } from "berkeley/websocket";
import { LocalProtocolError, RemoteProtocolError, parseList } from "berkeley/wire";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";

const FIELDS: Readonly<Record<string, string>> = {
  Host: "server.example.com",
  Upgrade: "websocket",
  Connection: "keep-alive, Upgrade",
  "Sec-WebSocket-Key": KEY,
  "Sec-WebSocket-Version": "13",
};

function request(
  changes: Readonly<Record<string, string | readonly string[]>>,
  method = "GET",
  version = "1.1",
) {
  const fields = Object.entries({ ...FIELDS, ...changes }).filter(([, value]) => value !== "");
  return { method, version, fields: HttpFields.from(Object.fromEntries(fields)) };
}

test("acceptOf() answers the key of RFC 6455's example", () => {
  assert.equal(acceptOf(KEY), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

test("makeKey() makes 16 bytes in base64, others each time", () => {
  assert.match(makeKey(), /^[A-Za-z0-9+/]{22}==$/);
  assert.notEqual(makeKey(), makeKey());
});

test("readHandshake() reads what is asked for", () => {
  const asked = readHandshake(
    request({
      Upgrade: "WebSocket",
      "Sec-WebSocket-Protocol": "chat, superChat",
      "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits, x-unknown",
    }),
  );
  assert.equal(asked.key, KEY);
  assert.deepEqual(asked.protocols, ["chat", "superChat"]);
  assert.deepEqual(
    asked.extensions.map(({ name }) => name),
    ["permessage-deflate", "x-unknown"],
  );
  assert.deepEqual(readHandshake(request({})).protocols, []);
});

const REFUSED = [
  ["POST", 405, "ERR_WEBSOCKET_METHOD", {}, "POST"],
  ["HTTP/1.0", 426, "ERR_WEBSOCKET_UPGRADE", {}, "GET", "1.0"],
  ["no Upgrade", 426, "ERR_WEBSOCKET_UPGRADE", { Upgrade: "" }],
  ["another protocol", 426, "ERR_WEBSOCKET_UPGRADE", { Upgrade: "h2c" }],
  ["no Connection", 426, "ERR_WEBSOCKET_UPGRADE", { Connection: "keep-alive" }],
  ["no version", 426, "ERR_WEBSOCKET_VERSION", { "Sec-WebSocket-Version": "" }],
  ["an older version", 426, "ERR_WEBSOCKET_VERSION", { "Sec-WebSocket-Version": "8" }],
  ["two versions", 426, "ERR_WEBSOCKET_VERSION", { "Sec-WebSocket-Version": ["13", "8"] }],
  ["no key", 400, "ERR_WEBSOCKET_KEY", { "Sec-WebSocket-Key": "" }],
  ["a short key", 400, "ERR_WEBSOCKET_KEY", { "Sec-WebSocket-Key": "AAAA" }],
  ["a key that is no base64", 400, "ERR_WEBSOCKET_KEY", { "Sec-WebSocket-Key": "!".repeat(24) }],
  ["two keys", 400, "ERR_WEBSOCKET_KEY", { "Sec-WebSocket-Key": [KEY, KEY] }],
  ["a protocol that is no token", 400, "ERR_WEBSOCKET_PROTOCOL", { "Sec-WebSocket-Protocol": "a b" }],
  ["a protocol twice", 400, "ERR_WEBSOCKET_PROTOCOL", { "Sec-WebSocket-Protocol": "a, a" }],
  ["no protocol between commas", 400, "ERR_WEBSOCKET_PROTOCOL", { "Sec-WebSocket-Protocol": "a,,b" }],
  ["extensions that are no list", 400, "ERR_WEBSOCKET_EXTENSIONS", { "Sec-WebSocket-Extensions": "a;=" }],
  ["a parameter twice", 400, "ERR_WEBSOCKET_EXTENSIONS", { "Sec-WebSocket-Extensions": "a; b; b" }],
] as const;

for (const [what, status, code, changes, method, version] of REFUSED)
  test(`readHandshake() refuses with ${status} and ${code}: ${what}`, () => {
    assert.throws(
      () => readHandshake(request(changes, method, version)),
      (error) =>
        error instanceof RemoteProtocolError &&
        error.code === code &&
        statusOfHandshakeRefusal(error) === status,
    );
  });

test("requestFields() refuses protocols that are no tokens or come twice", () => {
  for (const protocols of [["a\r\nb"], ["a b"], [""], ["a", "a"], ["ä"]])
    assert.throws(
      () => requestFields({ key: KEY, protocols }),
      (error) => error instanceof LocalProtocolError && error.code === "ERR_WEBSOCKET_PROTOCOL",
    );
});

const asking = { key: KEY, protocols: ["chat", "superchat"] };
const answer = (changes: Readonly<Record<string, string>> = {}, status = 101) => ({
  status,
  fields: HttpFields.from({
    ...Object.fromEntries(responseFields(KEY, { protocol: "chat" })),
    ...changes,
  }),
});

test("readAnswer() reads what responseFields() made", () => {
  assert.equal(readAnswer(answer(), asking).protocol, "chat");
  const bare = { status: 101, fields: HttpFields.from(responseFields(KEY, {})) };
  assert.deepEqual(readAnswer(bare, asking), { protocol: undefined, extensions: [] });
});

const WRONG: readonly (readonly [string, Readonly<Record<string, string>>, number?])[] = [
  ["ERR_WEBSOCKET_STATUS", {}, 200],
  ["ERR_WEBSOCKET_UPGRADE", { Upgrade: "h2c" }],
  ["ERR_WEBSOCKET_UPGRADE", { Connection: "close" }],
  ["ERR_WEBSOCKET_ACCEPT", { "Sec-WebSocket-Accept": acceptOf("another") }],
  ["ERR_WEBSOCKET_PROTOCOL", { "Sec-WebSocket-Protocol": "Chat" }],
  ["ERR_WEBSOCKET_PROTOCOL", { "Sec-WebSocket-Protocol": "chat, superchat" }],
  ["ERR_WEBSOCKET_EXTENSIONS", { "Sec-WebSocket-Extensions": ";" }],
];

for (const [code, changes, status] of WRONG)
  test(`readAnswer() refuses with ${code}: ${JSON.stringify(changes)} ${status ?? ""}`, () => {
    assert.throws(
      () => readAnswer(answer(changes, status), asking),
      (error) => error instanceof RemoteProtocolError && error.code === code,
    );
  });

const ALL = {
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: 15,
  clientMaxWindowBits: 15,
};
const TAKEOVER: DeflateWishes = { serverNoContextTakeover: false, clientNoContextTakeover: false };

/** Offers, what the server wishes, and what it answers; undefined: it declines. */
const NEGOTIATIONS: readonly (readonly [string, DeflateWishes, string | undefined])[] = [
  ["permessage-deflate", TAKEOVER, "permessage-deflate"],
  ["permessage-deflate", {}, "permessage-deflate; server_no_context_takeover; client_no_context_takeover"],
  [
    "permessage-deflate; client_max_window_bits",
    { ...TAKEOVER, clientMaxWindowBits: 10 },
    "permessage-deflate; client_max_window_bits=10",
  ],
  // A client that does not say that its window may be chosen chooses it itself.
  ["permessage-deflate", { ...TAKEOVER, clientMaxWindowBits: 10 }, "permessage-deflate"],
  [
    "permessage-deflate; server_max_window_bits=10",
    TAKEOVER,
    "permessage-deflate; server_max_window_bits=10",
  ],
  [
    "permessage-deflate; server_max_window_bits=12",
    { ...TAKEOVER, serverMaxWindowBits: 9 },
    "permessage-deflate; server_max_window_bits=9",
  ],
  [
    "permessage-deflate; server_no_context_takeover; client_max_window_bits=9",
    TAKEOVER,
    "permessage-deflate; server_no_context_takeover; client_max_window_bits=9",
  ],
  // Declined, and the next one taken: a window that zlib cannot make, what is unknown, what has no such value.
  ["permessage-deflate; server_max_window_bits=8, permessage-deflate", TAKEOVER, "permessage-deflate"],
  ["permessage-deflate; unknown", {}, undefined],
  ["permessage-deflate; server_max_window_bits", {}, undefined],
  ["permessage-deflate; server_max_window_bits=16", {}, undefined],
  ["permessage-deflate; server_max_window_bits=010", {}, undefined],
  ["permessage-deflate; server_no_context_takeover=1", {}, undefined],
  ["x-webkit-deflate-frame", {}, undefined],
];

for (const [offer, wishes, expected] of NEGOTIATIONS)
  test(`acceptDeflate() answers ${JSON.stringify(offer)} with ${JSON.stringify(expected)}`, () => {
    assert.equal(acceptDeflate(parseList(offer) ?? [], wishes)?.text, expected);
  });

test("readDeflate() has what acceptDeflate() agreed to, whatever both wish", () => {
  const bits = [undefined, 9, 15];
  const sides = [undefined, true, false];
  const wishes = bits.flatMap((serverMaxWindowBits) =>
    bits.flatMap((clientMaxWindowBits) =>
      sides.flatMap((serverNoContextTakeover) =>
        sides.map((clientNoContextTakeover) => ({
          serverMaxWindowBits,
          clientMaxWindowBits,
          serverNoContextTakeover,
          clientNoContextTakeover,
        })),
      ),
    ),
  );
  for (const client of wishes)
    for (const server of wishes) {
      const accepted = acceptDeflate(parseList(offerDeflate(client)) ?? [], server);
      assert.ok(accepted !== undefined);
      const read = readDeflate(parseList(accepted.text) ?? [], client);
      assert.deepEqual(read, accepted.agreement, accepted.text);
    }
});

test("readDeflate() refuses what was not offered", () => {
  const refuses = (answered: string, offered: DeflateWishes | undefined): void => {
    assert.throws(
      () => readDeflate(parseList(answered) ?? [], offered),
      (error) => error instanceof RemoteProtocolError && error.code === "ERR_WEBSOCKET_EXTENSIONS",
      answered,
    );
  };
  refuses("permessage-deflate", undefined);
  refuses("x-unknown", {});
  refuses("permessage-deflate; unknown", {});
  refuses("permessage-deflate", {}); // the server was asked not to take its context over
  refuses("permessage-deflate; client_max_window_bits", TAKEOVER);
  refuses("permessage-deflate; client_max_window_bits=8", TAKEOVER);
  refuses("permessage-deflate; server_max_window_bits=12", { ...TAKEOVER, serverMaxWindowBits: 10 });
  refuses("permessage-deflate, permessage-deflate", TAKEOVER);
  assert.equal(readDeflate([], TAKEOVER), undefined);
  assert.deepEqual(readDeflate(parseList("permessage-deflate; server_no_context_takeover") ?? [], {}), ALL);
});
