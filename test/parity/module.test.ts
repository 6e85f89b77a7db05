// The functions of the module beside sockets, in both faces: names and addresses, byte order, plain descriptors, what a socket
// says of itself, and the families of errors. What CPython says to the same is asked of it where it is there.

import assert from "node:assert/strict";
import { openSync, closeSync } from "node:fs";
import { test } from "node:test";
import { inspect } from "node:util";
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  AI_ADDRCONFIG,
  AI_ALL,
  AI_CANONNAME,
  AI_NUMERICHOST,
  AI_NUMERICSERV,
  AI_PASSIVE,
  AI_V4MAPPED,
  INADDR_ANY,
  INADDR_LOOPBACK,
  IPPROTO_TCP,
  IPPROTO_UDP,
  NI_DGRAM,
  NI_MAXHOST,
  NI_MAXSERV,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
  SOCK_DGRAM,
  SOCK_SEQPACKET,
  SOCK_STREAM,
  SOL_SOCKET,
  SO_DOMAIN,
  SO_KEEPALIVE,
  SO_PROTOCOL,
  SO_REUSEADDR,
  SO_TYPE,
  TCP_KEEPINTVL,
  TCP_NODELAY,
} from "berkeley";
import type { Address, Socket } from "berkeley";
import { askPython, python3 } from "../support/ask-python.ts";
import { FACES, anything, codeOf, faceTest, failure } from "../support/faces.ts";

/** What CPython answers, by a key; asked once. */
const theirs: Readonly<Record<string, unknown>> = python3.skip
  ? {}
  : (askPython(`
def answer(call):
    try:
        return call()
    except Exception as error:
        return type(error).__name__
infos = {
  "number": ("127.0.0.1", 80), "numbers6": ("::1", 80), "service": ("127.0.0.1", "http"), "nobody": (None, 80),
  "nothing": (None, None), "mapped": ("127.0.0.1", 80, socket.AF_INET6, socket.SOCK_STREAM, 0, socket.AI_V4MAPPED),
  "all": ("127.0.0.1", 80, socket.AF_INET6, socket.SOCK_STREAM, 0, socket.AI_V4MAPPED | socket.AI_ALL),
  "stream": ("127.0.0.1", 80, 0, socket.SOCK_STREAM), "udp": ("127.0.0.1", 80, 0, 0, socket.IPPROTO_UDP),
  "passive": (None, 0, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_PASSIVE),
  "canonical": ("localhost", 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_CANONNAME),
  "numeric": ("localhost", 80, 0, 0, 0, socket.AI_NUMERICHOST), "digits": ("127.0.0.1", "http", 0, 0, 0, socket.AI_NUMERICSERV),
  "configured": ("127.0.0.1", 80, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG),
  "zone": ("ff02::1de:c0:face:8D%42", 1234, socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_UDP),
  "zone by name": ("ff02::1de:c0:face:8D%lo", 1234, socket.AF_INET6, socket.SOCK_DGRAM, socket.IPPROTO_UDP),
  "short": ("::1q", None), "double": ("::1::2", None), "long": ("1:1:1:1:1:1:1:1:1", None),
}
print(json.dumps({
  "infos": {name: answer(lambda: socket.getaddrinfo(*args)) for name, args in infos.items()},
  "fqdn": {name: answer(lambda: socket.getfqdn(name)) for name in ("", "0.0.0.0", "::", "localhost", "127.0.0.1")},
  "services": {name: answer(lambda: socket.getservbyname(*name.split("/"))) for name in
    ("http", "http/tcp", "domain/udp", "domain/tcp", "no-such", "http/no-such")},
}))`) as Record<string, unknown>);

/** The arguments of `infos` above. */
const INFOS: Readonly<Record<string, Parameters<(typeof FACES)[string]["getaddrinfo"]>>> = {
  number: ["127.0.0.1", 80],
  numbers6: ["::1", 80],
  service: ["127.0.0.1", "http"],
  nobody: [null, 80],
  nothing: [null, null],
  mapped: ["127.0.0.1", 80, { family: AF_INET6, type: SOCK_STREAM, flags: AI_V4MAPPED }],
  all: ["127.0.0.1", 80, { family: AF_INET6, type: SOCK_STREAM, flags: AI_V4MAPPED | AI_ALL }],
  stream: ["127.0.0.1", 80, { type: SOCK_STREAM }],
  udp: ["127.0.0.1", 80, { proto: IPPROTO_UDP }],
  passive: [null, 0, { family: AF_INET, type: SOCK_STREAM, flags: AI_PASSIVE }],
  canonical: ["localhost", 80, { family: AF_INET, type: SOCK_STREAM, flags: AI_CANONNAME }],
  numeric: ["localhost", 80, { flags: AI_NUMERICHOST }],
  digits: ["127.0.0.1", "http", { flags: AI_NUMERICSERV }],
  configured: ["127.0.0.1", 80, { family: AF_INET, type: SOCK_STREAM, flags: AI_ADDRCONFIG }],
  zone: ["ff02::1de:c0:face:8D%42", 1234, { family: AF_INET6, type: SOCK_DGRAM, proto: IPPROTO_UDP }],
  "zone by name": [
    "ff02::1de:c0:face:8D%lo",
    1234,
    { family: AF_INET6, type: SOCK_DGRAM, proto: IPPROTO_UDP },
  ],
  short: ["::1q", null],
  double: ["::1::2", null],
  long: ["1:1:1:1:1:1:1:1:1", null],
};

for (const [name, args] of Object.entries(INFOS))
  faceTest(
    `getaddrinfo(${args.map((arg) => JSON.stringify(arg)).join(", ")}) gives what CPython gives`,
    async (face) => {
      const expected = (theirs["infos"] as Record<string, unknown>)[name];
      if (expected === "gaierror") {
        const error = await failure(() => face.getaddrinfo(...args));
        assert.ok(error instanceof face.gaierror);
        assert.match(error.code, /^EAI_/);
      } else assert.deepEqual(await face.getaddrinfo(...args), expected);
    },
    { skip: python3.skip },
  );

faceTest("getnameinfo() writes a zone as a name, and numbers as numbers", async (face) => {
  const address: Address = ["ff02::1de:c0:face:8D", 1234, 0, face.if_nametoindex("lo")];
  assert.deepEqual(await face.getnameinfo(address, NI_NUMERICHOST | NI_NUMERICSERV), [
    "ff02::1de:c0:face:8d%lo",
    "1234",
  ]);
  assert.deepEqual(await face.getnameinfo(["127.0.0.1", 53], NI_NUMERICHOST | NI_DGRAM), [
    "127.0.0.1",
    "domain",
  ]);
  assert.ok(NI_MAXHOST >= 1025 && NI_MAXSERV >= 32);
});

faceTest("getnameinfo() refuses a host that is a name, and a port that is none", async (face) => {
  const calls: [call: () => unknown, code: string][] = [
    [() => face.getnameinfo(["mail.example.org", 0]), "EAI_NONAME"],
    [() => face.getnameinfo(["127.0.0.1", -1]), "ERR_OUT_OF_RANGE"],
    [() => face.getnameinfo(anything(["127.0.0.1"])), "ERR_INVALID_ARG_TYPE"],
    [() => face.getnameinfo(anything("127.0.0.1")), "ERR_INVALID_ARG_TYPE"],
    [() => face.getnameinfo(anything(null)), "ERR_INVALID_ARG_TYPE"],
    [() => face.getnameinfo(["127.0.0.1", 0], anything("0")), "ERR_INVALID_ARG_TYPE"],
  ];
  for (const [call, code] of calls) assert.equal(await codeOf(call), code, call.toString());
});

for (const name of ["http", "http/tcp", "domain/udp", "domain/tcp", "no-such", "http/no-such"])
  faceTest(
    `getservbyname("${name.replace("/", '", "')}") gives what CPython gives`,
    async (face) => {
      const expected = (theirs["services"] as Record<string, number | string>)[name] as number | string;
      const [service, proto] = name.split("/") as [string, string | undefined];
      if (typeof expected === "string")
        assert.equal(await codeOf(() => face.getservbyname(service, proto)), "ENOENT");
      else {
        assert.equal(face.getservbyname(service, proto), expected);
        assert.equal(face.getservbyport(expected, proto), service);
      }
    },
    { skip: python3.skip },
  );

faceTest("getservbyport() refuses ports that are none", async (face) => {
  for (const port of [-1, 65_536, 1.5])
    assert.equal(await codeOf(() => face.getservbyport(port)), "ERR_OUT_OF_RANGE");
});

faceTest("if_nameindex(), if_nametoindex() and if_indextoname() agree", async (face) => {
  const all = face.if_nameindex();
  assert.ok(all.some(([, name]) => name === "lo"));
  for (const [index, name] of all) {
    assert.equal(face.if_nametoindex(name), index);
    assert.equal(face.if_indextoname(index), name);
  }
  assert.equal(await codeOf(() => face.if_indextoname(0)), "ENXIO");
  assert.equal(await codeOf(() => face.if_indextoname(-1)), "ERR_OUT_OF_RANGE");
  assert.equal(await codeOf(() => face.if_indextoname(2 ** 40)), "ERR_OUT_OF_RANGE");
  assert.equal(await codeOf(() => face.if_indextoname(anything("_DEADBEEF"))), "ERR_INVALID_ARG_TYPE");
  assert.equal(await codeOf(() => face.if_nametoindex("_DEADBEEF")), "ENODEV");
  assert.equal(await codeOf(() => face.if_nametoindex(anything(0))), "ERR_INVALID_ARG_TYPE");
});

faceTest(
  "htons(), htonl(), ntohs() and ntohl() undo each other, and refuse what does not fit",
  async (face) => {
    for (const [there, back, bits] of [
      [face.htons, face.ntohs, 16],
      [face.htonl, face.ntohl, 32],
    ] as const) {
      for (const value of [0, 1, 0xff, 0x1234, 0xffff, 2 ** bits - 1]) {
        assert.equal(back(there(value)), value);
        assert.equal(there(back(value)), value);
      }
      for (const wrong of [-1, 2 ** bits, 2 ** 40, 0.5])
        for (const call of [there, back]) assert.equal(await codeOf(() => call(wrong)), "ERR_OUT_OF_RANGE");
      assert.equal(await codeOf(() => there(anything("1"))), "ERR_INVALID_ARG_TYPE");
    }
    assert.equal(face.ntohl(Buffer.from("7f000001", "hex").readUInt32LE()), INADDR_LOOPBACK);
    assert.equal(INADDR_ANY, 0);
  },
);

const TEXTS4: Readonly<Record<string, string>> = {
  "0.0.0.0": "00000000",
  "255.0.255.0": "ff00ff00",
  "170.170.170.170": "aaaaaaaa",
  "1.2.3.4": "01020304",
  "255.255.255.255": "ffffffff",
};
const TEXTS6: Readonly<Record<string, string>> = {
  "::": "00".repeat(16),
  "::1": `${"00".repeat(15)}01`,
  "1::": `0001${"00".repeat(14)}`,
  "45ef:76cb:1a:56ef:afeb:bac:1924:aeae": "45ef76cb001a56efafeb0bac1924aeae",
  "aef:b01:506:1001:ffff:9997:55:170": "0aef0b0105061001ffff999700550170",
  "::ffff:1.2.3.4": "00000000000000000000ffff01020304",
};

faceTest(
  "inet_aton(), inet_ntoa(), inet_pton() and inet_ntop() turn texts into bytes and back",
  async (face) => {
    for (const [text, hex] of Object.entries(TEXTS4)) {
      const bytes = Buffer.from(hex, "hex");
      assert.deepEqual(Buffer.from(face.inet_aton(text)), bytes);
      assert.equal(face.inet_ntoa(bytes), text);
      assert.deepEqual(Buffer.from(face.inet_pton(AF_INET, text)), bytes);
      assert.equal(face.inet_ntop(AF_INET, bytes), text);
    }
    for (const [text, hex] of Object.entries(TEXTS6)) {
      assert.equal(Buffer.from(face.inet_pton(AF_INET6, text)).toString("hex"), hex);
      assert.equal(face.inet_ntop(AF_INET6, Buffer.from(hex, "hex")), text);
    }
    for (const bad of ["", "0x100.", "0.0.0.", "300.0.0.0", "a.0.0.0", "1.2.3.4.5", "::1"])
      assert.notEqual(await codeOf(() => face.inet_pton(AF_INET, bad)), undefined, bad);
    for (const bad of [
      "",
      "fe80:",
      ":::1",
      "0:0:0:0:0:0:0:0:0",
      "::0::",
      "1::abc::",
      "1::abc::def",
      "1:2:3:4:5:6:7:8:0",
      "1:2:3:4:5:6::7:8",
      "1:2:3:4:5:6:7",
      "::1.2.3",
      "::1.2.3.4.5",
      "::1.2.3.400",
    ])
      assert.equal(await codeOf(() => face.inet_pton(AF_INET6, bad)), "EINVAL", bad);
    for (const length of [0, 3, 5])
      assert.match(await codeOf(() => face.inet_ntoa(Buffer.alloc(length))), /^E/);
    for (const length of [0, 4, 15, 17])
      assert.match(await codeOf(() => face.inet_ntop(AF_INET6, Buffer.alloc(length))), /^E/);
  },
);

faceTest("getsockopt() and setsockopt() read and set integers, booleans and bytes", async (face) => {
  using sock = face.socket();
  assert.equal(sock.getsockopt(SOL_SOCKET, SO_REUSEADDR), 0);
  sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  assert.notEqual(sock.getsockopt(SOL_SOCKET, SO_REUSEADDR), 0);
  sock.setsockopt(SOL_SOCKET, SO_KEEPALIVE, true);
  sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, true);
  sock.setsockopt(IPPROTO_TCP, TCP_KEEPINTVL, Int32Array.of(7));
  assert.equal(sock.getsockopt(IPPROTO_TCP, TCP_KEEPINTVL), 7);
  assert.equal(sock.getsockopt(IPPROTO_TCP, TCP_KEEPINTVL, 4).readInt32LE(), 7);
  assert.equal(await codeOf(() => sock.getsockopt(SOL_SOCKET, 9999)), "ENOPROTOOPT");
  assert.equal(
    await codeOf(() => sock.setsockopt(SOL_SOCKET, SO_REUSEADDR, anything("1"))),
    "ERR_INVALID_ARG_TYPE",
  );
  assert.equal(await codeOf(() => sock.getsockopt(SOL_SOCKET, SO_REUSEADDR, -1)), "ERR_OUT_OF_RANGE");
});

faceTest("getsockname() is the address that bind() took", (face) => {
  using sock = face.socket();
  assert.deepEqual(sock.getsockname(), ["0.0.0.0", 0]);
  sock.bind(["127.0.0.1", 0]);
  const [host, port] = sock.getsockname();
  assert.equal(host, "127.0.0.1");
  assert.ok(port > 0);
});

faceTest("bind() refuses ports, flow information and scopes that do not fit", async (face) => {
  using four = face.socket(AF_INET, SOCK_DGRAM);
  for (const port of [-1, 65_536, 2 ** 40, 1.5])
    assert.equal(await codeOf(() => four.bind(["127.0.0.1", port])), "ERR_OUT_OF_RANGE");
  using six = face.socket(AF_INET6, SOCK_DGRAM);
  for (const address of [
    ["::1", 0, -10],
    ["::1", 0, 0x10_0000],
    ["::1", 0, 0, -1],
    ["::1", 0, 0, 2 ** 32],
  ])
    assert.equal(
      await codeOf(() => six.bind(anything(address))),
      "ERR_OUT_OF_RANGE",
      JSON.stringify(address),
    );
  for (const address of [
    undefined,
    null,
    5,
    "::1",
    [],
    ["::1"],
    ["::1", "0"],
    [null, 0],
    ["::1", 0, 0, 0, 0],
  ])
    assert.equal(
      await codeOf(() => six.bind(anything(address))),
      "ERR_INVALID_ARG_TYPE",
      JSON.stringify(address),
    );
});

const KINDS: [family: number, type: number][] = [
  [AF_INET, SOCK_STREAM],
  [AF_INET, SOCK_DGRAM],
  [AF_INET6, SOCK_STREAM],
  [AF_INET6, SOCK_DGRAM],
  [AF_UNIX, SOCK_STREAM],
  [AF_UNIX, SOCK_DGRAM],
  [AF_UNIX, SOCK_SEQPACKET],
];
for (const [family, type] of KINDS)
  faceTest(
    `socket() with fileno finds out family ${family} and type ${type}, of each what is not said`,
    (face) => {
      using made = face.socket(family, type);
      const expected = [family, type, made.getsockopt(SOL_SOCKET, SO_PROTOCOL)];
      assert.deepEqual(
        [made.getsockopt(SOL_SOCKET, SO_DOMAIN), made.getsockopt(SOL_SOCKET, SO_TYPE)],
        [family, type],
      );
      for (const said of [[], [family], [family, type], [undefined, type]] as const) {
        const [saidFamily, saidType] = said;
        using adopted = face.socket(saidFamily, saidType, undefined, { fileno: face.dup(made.fileno()) });
        assert.deepEqual([adopted.family, adopted.type, adopted.proto], expected);
      }
    },
  );

faceTest("socket() with fileno of what is no socket says ENOTSOCK, and leaves it open", async (face) => {
  const fd = openSync("/dev/null", "r");
  assert.equal(await codeOf(() => face.socket(undefined, undefined, undefined, { fileno: fd })), "ENOTSOCK");
  closeSync(fd);
});

faceTest("a socket with a family that nobody knows can still be named and closed", (face) => {
  using made = face.socket();
  using sock = face.socket(42_424, 13_331, 0, { fileno: made.detach() });
  assert.deepEqual([sock.family, sock.type], [42_424, 13_331]);
  assert.match(String(sock), /family=42424, type=13331, proto=0/);
});

faceTest("a socket says what it is, open and closed", (face) => {
  const sock: Socket = face.socket();
  sock.bind(["127.0.0.1", 0]);
  const [, port] = sock.getsockname();
  const text = `fd=${sock.fileno()}, family=${AF_INET}, type=${SOCK_STREAM}, proto=0, laddr=[ '127.0.0.1', ${port} ]`;
  assert.equal(String(sock), `<Socket ${text}>`);
  assert.equal(inspect(sock), `<Socket ${text}>`);
  sock.close();
  assert.equal(String(sock), `<Socket [closed] fd=-1, family=${AF_INET}, type=${SOCK_STREAM}, proto=0>`);
});

faceTest(
  "the errors are a family: timeout is an error, gaierror and herror are not, all are Errors",
  (face) => {
    assert.ok(face.error.prototype instanceof Error);
    assert.ok(face.timeout.prototype instanceof face.error);
    assert.ok(face.gaierror.prototype instanceof Error);
    assert.equal(face.gaierror, face.herror);
    assert.equal(face.has_ipv6, true);
  },
);

test("both faces have the names of CPython's module, as functions or classes", () => {
  const names =
    "CMSG_LEN CMSG_SPACE close create_connection create_server dup fromfd getaddrinfo getdefaulttimeout getfqdn gethostbyaddr gethostbyname gethostbyname_ex gethostname getnameinfo getprotobyname getservbyname getservbyport has_dualstack_ipv6 htonl htons if_indextoname if_nameindex if_nametoindex inet_aton inet_ntoa inet_ntop inet_pton ntohl ntohs recv_fds send_fds setdefaulttimeout sethostname socket socketpair SocketType SocketIO";
  for (const face of Object.values(FACES))
    for (const name of names.split(" "))
      assert.equal(typeof (face as unknown as Record<string, unknown>)[name], "function", name);
});
