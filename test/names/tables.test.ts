// What the machine knows by itself: against CPython's socket module.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import {
  gethostname,
  getprotobyname,
  getservbyname,
  getservbyport,
  if_indextoname,
  if_nameindex,
  if_nametoindex,
  sethostname,
} from "berkeley";
import { requirePeer } from "../support/peers.ts";
import { askPython, python3 } from "../support/ask-python.ts";

const withPython = { skip: python3.skip };

/** The result, or the error's code where CPython raises. */
function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const pythonOutcome = `
def outcome(call, *args):
    try: return call(*args)
    except OSError as error: return errno.errorcode.get(error.errno, "ENOENT")
`;

test("gethostname() agrees with CPython", withPython, () => {
  assert.equal(gethostname(), askPython("print(json.dumps(socket.gethostname()))"));
});

test("getservbyname() agrees with CPython for every service of the system, and for none", withPython, () => {
  const asked = [
    ["http"],
    ["http", "tcp"],
    ["domain", "udp"],
    ["tftp", "tcp"],
    ["none"],
    ["http", "none"],
    ["", ""],
  ];
  const program = `${pythonOutcome}
names = [[line.split()[0]] + line.split()[1].split("/")[1:] for line in open("/etc/services") if line[0].isalnum()]
asked = data + names
print(json.dumps([asked, [outcome(socket.getservbyname, *a) for a in asked]]))`;
  const [all, expected] = askPython(program, asked) as [[string, string?][], unknown[]];
  assert.ok(all.length > 100);
  assert.deepEqual(
    all.map(([name, proto]) => outcome(() => getservbyname(name, proto))),
    expected,
  );
});

test("getservbyport() agrees with CPython for every port below 2000", withPython, () => {
  const program = `${pythonOutcome}
print(json.dumps([[outcome(socket.getservbyport, p), outcome(socket.getservbyport, p, "udp")] for p in range(2000)]))`;
  const ours = Array.from({ length: 2000 }, (_, port) => [
    outcome(() => getservbyport(port)),
    outcome(() => getservbyport(port, "udp")),
  ]);
  assert.deepEqual(ours, askPython(program));
});

test("getprotobyname() agrees with CPython", withPython, () => {
  const names = ["tcp", "udp", "icmp", "ipv6-icmp", "ICMP", "none", ""];
  const program = `${pythonOutcome}print(json.dumps([outcome(socket.getprotobyname, n) for n in data]))`;
  assert.deepEqual(
    names.map((name) => outcome(() => getprotobyname(name))),
    askPython(program, names),
  );
});

test("getservbyname() and its kin throw an AddressError with ENOENT and name what was asked", () => {
  const name = "AddressError";
  assert.throws(() => getservbyname("nope"), {
    name,
    code: "ENOENT",
    message: "getservbyname ENOENT: service/proto not found (nope)",
  });
  assert.throws(() => getservbyport(1, "nope"), { name, code: "ENOENT" });
  assert.throws(() => getprotobyname("nope"), { name, code: "ENOENT" });
  assert.throws(() => getservbyname("x".repeat(10_000)), { name, code: "ENOENT" });
});

test(
  "if_nameindex(), if_nametoindex() and if_indextoname() agree with CPython and with each other",
  withPython,
  () => {
    const interfaces = if_nameindex();
    assert.deepEqual(interfaces, askPython("print(json.dumps(socket.if_nameindex()))"));
    assert.ok(interfaces.length > 0);
    for (const [index, name] of interfaces) {
      assert.equal(if_nametoindex(name), index);
      assert.equal(if_indextoname(index), name);
    }
  },
);

test("if_nametoindex() throws ENODEV and if_indextoname() ENXIO where there is no interface", () => {
  assert.throws(() => if_nametoindex("nope"), { name: "SocketError", code: "ENODEV" });
  assert.throws(() => if_indextoname(2 ** 31 - 1), { name: "SocketError", code: "ENXIO" });
  assert.throws(() => if_indextoname(0), { code: "ENXIO" });
  assert.throws(() => if_indextoname(-1), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => if_indextoname(2 ** 32), { code: "ERR_OUT_OF_RANGE" });
});

test("the tables' functions refuse what C cannot take", () => {
  for (const call of [getservbyname, getprotobyname, if_nametoindex, sethostname] as ((
    x: never,
  ) => unknown)[]) {
    assert.throws(() => call("a\0b" as never), { code: "ERR_INVALID_ARG_TYPE", message: /without NUL/ });
    assert.throws(() => call(1 as never), { code: "ERR_INVALID_ARG_TYPE" });
    assert.throws(() => call(undefined as never), { code: "ERR_INVALID_ARG_TYPE" });
  }
  assert.throws(() => getservbyport(65_536), { code: "ERR_OUT_OF_RANGE" });
  assert.throws(() => getservbyport("80" as never), { code: "ERR_INVALID_ARG_TYPE" });
});

const unshare = requirePeer("unshare");
const mayUnshare =
  unshare.skip === false &&
  outcome(() => execFileSync(unshare.path, ["--uts", "true"], { stdio: "ignore" })) !== undefined;
const skip = mayUnshare && process.getuid?.() === 0 ? false : "needs root, for a host name of its own";

test("sethostname() changes what gethostname() returns, and throws EPERM with a hint without the right", {
  skip,
}, () => {
  const url = JSON.stringify(import.meta.resolve("berkeley"));
  const program = `
    const { gethostname, sethostname } = await import(${url});
    sethostname("berkeley-test");
    console.log(gethostname());
    process.setuid(65534);
    try { sethostname("x") } catch (error) { console.log(error.message) }`;
  const output = execFileSync(unshare.path, [
    "--uts",
    process.execPath,
    "--input-type=module",
    "-e",
    program,
  ]);
  assert.equal(
    output.toString(),
    "berkeley-test\nsethostname EPERM: operation not permitted; it needs CAP_SYS_ADMIN\n",
  );
});
