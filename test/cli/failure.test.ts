import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEndpoint, UsageError } from "#dist/cli/endpoint.js";
import { CommandError, describeFailure, EndpointError, EXIT, OutputClosedError } from "#dist/cli/failure.js";

const failure = (code: string): Error =>
  Object.assign(new Error(`call ${code}: words`), { code, syscall: "call" });
const listening = (url: string, code: string): EndpointError =>
  new EndpointError("listen on", parseEndpoint(url), failure(code));
const connecting = (url: string, code: string): EndpointError =>
  new EndpointError("connect to", parseEndpoint(url), failure(code));

const cases: readonly (readonly [name: string, error: unknown, message: RegExp, exitCode: number])[] = [
  [
    "a port in use",
    listening("tcp://:8888", "EADDRINUSE"),
    /^cannot listen on tcp:\/\/:8888: the port is in use/,
    EXIT.NETWORK,
  ],
  [
    "a low port without the right",
    listening("tcp://:80", "EACCES"),
    /ports below 1024 need root, .*CAP_NET_BIND_SERVICE/,
    EXIT.NETWORK,
  ],
  [
    "a high port that is forbidden",
    listening("tcp://:8080", "EACCES"),
    /the system does not allow it/,
    EXIT.NETWORK,
  ],
  [
    "another machine's address",
    listening("tcp://192.0.2.1:1", "EADDRNOTAVAIL"),
    /192\.0\.2\.1 is not an address of this machine/,
    EXIT.NETWORK,
  ],
  ["a system without IPv6", listening("tcp://[::1]:1", "EAFNOSUPPORT"), /is IPv6 turned off/, EXIT.NETWORK],
  [
    "a refusal",
    connecting("tcp://h:1", "ECONNREFUSED"),
    /^cannot connect to tcp:\/\/h:1: connection refused: nothing listens there/,
    EXIT.NETWORK,
  ],
  ["no answer", connecting("tcp://h:1", "ETIMEDOUT"), /timed out: no answer/, EXIT.NETWORK],
  ["no route", connecting("tcp://h:1", "ENETUNREACH"), /network unreachable/, EXIT.NETWORK],
  ["no way to the host", connecting("tcp://h:1", "EHOSTUNREACH"), /host unreachable/, EXIT.NETWORK],
  ["an unknown name", connecting("tcp://h:1", "EAI_NONAME"), /the name "h" does not resolve$/, EXIT.NETWORK],
  [
    "a silent name server",
    connecting("tcp://h:1", "EAI_AGAIN"),
    /the name "h" does not resolve just now/,
    EXIT.NETWORK,
  ],
  [
    "any other code in the system's words",
    connecting("tcp://h:1", "ENOBUFS"),
    /: call ENOBUFS: words$/,
    EXIT.NETWORK,
  ],
  ["a UDP port in use", listening("udp://:53", "EADDRINUSE"), /ss -lunp 'sport = :53'/, EXIT.NETWORK],
  ["a path in use", listening("unix:/a/b", "EADDRINUSE"), /another program listens there/, EXIT.NETWORK],
  ["a file where a socket would be", listening("unix:/a/b", "ENOTSOCK"), /it is left alone$/, EXIT.NETWORK],
  [
    "a directory that is missing",
    listening("unix:/a/b", "ENOENT"),
    /there is no directory \/a$/,
    EXIT.NETWORK,
  ],
  ["a directory that is none", listening("unix:/a/b", "ENOTDIR"), /\/a is not a directory$/, EXIT.NETWORK],
  [
    "a directory that is not writable",
    listening("unix:/a/b", "EACCES"),
    /no permission to make a file in \/a$/,
    EXIT.NETWORK,
  ],
  ["a path that is missing", connecting("unix:/a/b", "ENOENT"), /no such path/, EXIT.NETWORK],
  ["a path without permission", connecting("unix:/a/b", "EACCES"), /to connect is to write/, EXIT.NETWORK],
  ["a dead path", connecting("unix:/a/b", "ECONNREFUSED"), /its program has gone and left it$/, EXIT.NETWORK],
  ["a dead name", connecting("abstract:b", "ECONNREFUSED"), /nothing listens there$/, EXIT.NETWORK],
  ["a socket of another type", connecting("unix:/a/b", "EPROTOTYPE"), /of another type/, EXIT.NETWORK],
  ["a full queue", connecting("unix:/a/b", "EAGAIN"), /the queue of connections there is full/, EXIT.NETWORK],
  [
    "a silent path",
    connecting("unix:/a/b", "ETIMEDOUT"),
    /timed out: the queue of connections there is full$/,
    EXIT.NETWORK,
  ],
  [
    "any other code of a path in the system's words",
    connecting("unix:/a/b", "ENOBUFS"),
    /: call ENOBUFS: words$/,
    EXIT.NETWORK,
  ],
  ["a connection that broke", failure("ECONNRESET"), /^call ECONNRESET: words$/, EXIT.NETWORK],
  [
    "what a peer says without what moves a cursor or colours a terminal",
    new CommandError("the server answered 400 \x9b31mred\u202e\nmore", EXIT.NETWORK),
    /^the server answered 400 \\u\{9b\}31mred\\u\{202e\}\nmore$/,
    EXIT.NETWORK,
  ],
  ["a command line", new UsageError("write it so"), /^write it so$/, EXIT.USAGE],
  ["a reader that has gone with silence", new OutputClosedError(), /^$/, EXIT.OUTPUT_CLOSED],
  [
    "a fault with its stack",
    new TypeError("x is not a function"),
    /fault of the program[^]*TypeError: x[^]*failure\.test/,
    EXIT.FAULT,
  ],
  [
    "a fault while opening",
    new EndpointError("listen on", parseEndpoint("tcp://:1"), new TypeError("x")),
    /fault of the program/,
    EXIT.FAULT,
  ],
];

for (const [name, error, message, exitCode] of cases)
  test(`describeFailure() explains ${name}`, () => {
    const described = describeFailure(error);
    assert.match(described.message, message);
    assert.equal(described.exitCode, exitCode);
  });
