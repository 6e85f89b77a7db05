import assert from "node:assert/strict";
import { test } from "node:test";
import { formatEndpoint, formatHostPort, parseEndpoint, parsePeer, UsageError } from "#dist/cli/endpoint.js";

const good = {
  "tcp://127.0.0.1:8888": { kind: "tcp", family: "any", host: "127.0.0.1", port: 8888 },
  "tcp://[::1]:80": { kind: "tcp", family: "any", host: "::1", port: 80 },
  "tcp://[fe80::1%eth0]:80": { kind: "tcp", family: "any", host: "fe80::1%eth0", port: 80 },
  "tcp://:8888": { kind: "tcp", family: "any", host: "", port: 8888 },
  "tls://localhost:443": { kind: "tls", family: "any", host: "localhost", port: 443 },
  "tls6://[::1]:443": { kind: "tls", family: "ipv6", host: "::1", port: 443 },
  "tcp4://localhost:0": { kind: "tcp", family: "ipv4", host: "localhost", port: 0 },
  "tcp6://localhost:65535": { kind: "tcp", family: "ipv6", host: "localhost", port: 65_535 },
  "udp://127.0.0.1:53": { kind: "udp", family: "any", host: "127.0.0.1", port: 53 },
  "udp6://[::1]:53": { kind: "udp", family: "ipv6", host: "::1", port: 53 },
  "unix:///run/app.sock": { kind: "unix", type: "stream", abstract: false, name: "/run/app.sock" },
  "unix://./a b%20c": { kind: "unix", type: "stream", abstract: false, name: "./a b%20c" },
  "unix-dgram:///dev/log": { kind: "unix", type: "datagram", abstract: false, name: "/dev/log" },
  "unix-seqpacket://s": { kind: "unix", type: "seqpacket", abstract: false, name: "s" },
  "abstract://name": { kind: "unix", type: "stream", abstract: true, name: "name" },
  "abstract-dgram:///a/path": { kind: "unix", type: "datagram", abstract: true, name: "/a/path" },
  "abstract-seqpacket://é": { kind: "unix", type: "seqpacket", abstract: true, name: "é" },
  "ws://127.0.0.1:8080/": { kind: "ws", host: "127.0.0.1", port: 8080, target: "/" },
  "ws://[::1]:8080/chat?room=1&a=%20": {
    kind: "ws",
    host: "::1",
    port: 8080,
    target: "/chat?room=1&a=%20",
  },
  "wss://127.0.0.1:8443/chat": { kind: "wss", host: "127.0.0.1", port: 8443, target: "/chat" },
  "ws://:0/": { kind: "ws", host: "", port: 0, target: "/" },
  [`unix://${"p".repeat(107)}`]: { kind: "unix", type: "stream", abstract: false, name: "p".repeat(107) },
} as const;

for (const [url, endpoint] of Object.entries(good)) {
  test(`parseEndpoint() reads ${url}`, () => assert.deepEqual(parseEndpoint(url), endpoint));
  test(`formatEndpoint() writes ${url}`, () => assert.equal(formatEndpoint(endpoint), url));
}

test("parseEndpoint() takes capitals in the scheme and one slash after the port", () => {
  assert.deepEqual(parseEndpoint("TCP://localhost:1/"), parseEndpoint("tcp://localhost:1"));
});

test("parseEndpoint() takes Unix URLs without their slashes", () => {
  assert.deepEqual(parseEndpoint("unix:/run/app.sock"), parseEndpoint("unix:///run/app.sock"));
  assert.deepEqual(parseEndpoint("abstract:name"), parseEndpoint("abstract://name"));
});

test("parseEndpoint() takes WebSockets without a port and without a path", () => {
  assert.equal(formatEndpoint(parseEndpoint("ws://example.org")), "ws://example.org:80/");
  assert.equal(formatEndpoint(parseEndpoint("wss://example.org")), "wss://example.org:443/");
  assert.equal(formatEndpoint(parseEndpoint("WS://[::1]/a")), "ws://[::1]:80/a");
  assert.equal(formatEndpoint(parseEndpoint("ws://a:1?b")), "ws://a:1/?b");
});

test("parsePeer() refuses port 0, to which nobody can be reached", () => {
  assert.throws(() => parsePeer("udp://localhost:0"), /nobody can be reached at port 0/);
  assert.equal(formatEndpoint(parsePeer("unix:s")), "unix://s");
});

const bad: Readonly<Record<string, RegExp>> = {
  "": /is not a URL: write it as tcp:\/\/HOST:PORT/,
  "8888": /is not a URL/,
  "127.0.0.1:8888": /is not a URL/,
  "gopher://localhost:70": /gopher:\/\/ is not known here; known are tcp:\/\//,
  "constructor://localhost:70": /constructor:\/\/ is not known here/,
  "ws://": /the host is missing/,
  "ws:///chat": /the host is missing/,
  "ws://a:0x50/": /the port is a number/,
  "ws://a/b#c": /has no fragment/,
  "ws://a/b c": /stand in no URL/,
  "ws://a/b\r\nX: y": /stand in no URL/,
  "ws://me@a/": /HOST:PORT and nothing else/,
  [`ws://a/${"b".repeat(8000)}`]: /longer than 8000/,
  "tcp://localhost": /the port is missing/,
  "tcp://localhost:": /the port is missing/,
  "tcp://": /the port is missing/,
  "tcp://localhost:http": /the port is a number from 0 to 65535/,
  "tcp://localhost:65536": /the port is a number from 0 to 65535/,
  "tcp://localhost:-1": /the port is a number from 0 to 65535/,
  "tcp://localhost:1e3": /the port is a number from 0 to 65535/,
  "tcp://::1:80": /an IPv6 address stands in brackets/,
  "tcp://[localhost]:80": /\[localhost\] is not an IPv6 address/,
  "tcp://[::1:80": /HOST:PORT and nothing else/,
  "tcp://me@localhost:80": /HOST:PORT and nothing else/,
  "tcp://localhost:80/path": /HOST:PORT and nothing else/,
  "tcp://local host:80": /HOST:PORT and nothing else/,
  "tcp://local\u0000host:80": /characters that no host name has/,
  "tcp4://[::1]:80": /::1 is an IPv6 address, and tcp4:\/\/ is IPv4/,
  "tcp6://127.0.0.1:80": /127\.0\.0\.1 is an IPv4 address, and tcp6:\/\/ is IPv6/,
  "udp://localhost": /the port is missing, as in udp:\/\//,
  "udp://localhost:80/path": /a UDP address is HOST:PORT and nothing else/,
  "udp4://[::1]:80": /::1 is an IPv6 address, and udp4:\/\/ is IPv4/,
  "tcp:localhost:80": /is not a URL/,
  "unix:": /the path is missing, as in unix:\/\/\/run\/app\.sock/,
  "unix-dgram://": /the path is missing/,
  "abstract:": /the name is missing, as in abstract:\/\/NAME/,
  "unix:///a\u0000b": /no path has a NUL in it/,
  [`unix://${"é".repeat(54)}`]: /the path has 108 bytes, and a Unix socket's has 107 at most/,
  [`abstract://${"n".repeat(108)}`]: /the name has 108 bytes/,
  [`tcp://${"a".repeat(256)}:80`]: /the host is longer than 255 characters/,
};

for (const [url, message] of Object.entries(bad))
  test(`parseEndpoint() refuses ${JSON.stringify(url).slice(0, 60)}`, () =>
    assert.throws(
      () => parseEndpoint(url),
      (error) => {
        assert.ok(error instanceof UsageError);
        assert.match(error.message, message);
        assert.ok(error.message.length < 300);
        return true;
      },
    ));

test("formatHostPort() shows an IPv4 peer of an IPv6 listener as IPv4", () => {
  assert.equal(formatHostPort("::ffff:10.0.0.1", 5), "10.0.0.1:5");
  assert.equal(formatHostPort("::1", 5), "[::1]:5");
});
