// getaddrinfo, getnameinfo and the gethostby functions against CPython, in a namespace of their own: a hosts file that
// the test wrote, and no network, so that nothing is asked of anybody.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import * as berkeley from "berkeley";
import { requirePeer } from "../support/peers.ts";
import { python3 } from "../support/ask-python.ts";

const { AF_INET, AF_INET6, AF_UNSPEC, AF_UNIX, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_STREAM } = berkeley;
const { AI_CANONNAME, AI_NUMERICHOST, AI_NUMERICSERV, AI_PASSIVE, AI_V4MAPPED, AI_ALL } = berkeley;
const { NI_DGRAM, NI_NAMEREQD, NI_NOFQDN, NI_NUMERICHOST, NI_NUMERICSERV } = berkeley;

const HOSTS = `127.0.0.1 localhost
::1 localhost6
192.0.2.1 first.example.org first other
192.0.2.2 first.example.org second
2001:db8::1 six.example.org six
2001:db8::2 both.example.org
192.0.2.3 both.example.org both
192.0.2.4 nodots
192.0.2.5 xn--bcher-kva.example
192.0.2.9 ${Array.from({ length: 600 }, (_, i) => `alias-number-${i}.example.org`).join(" ")}
`;

const folder = mkdtempSync(join(tmpdir(), "berkeley-hosts-"));
after(() => rmSync(folder, { recursive: true }));
for (const [name, text] of [
  ["hosts", HOSTS],
  ["resolv.conf", "nameserver 127.0.0.53\noptions timeout:1 attempts:1\n"],
  ["nsswitch.conf", "hosts: files dns\nservices: files\nprotocols: files\n"],
] as const)
  writeFileSync(join(folder, name), text);

const unshare = requirePeer("unshare");
const enter = `for f in hosts resolv.conf nsswitch.conf; do mount --bind ${folder}/$f /etc/$f || exit 9; done; exec "$@"`;

/** Runs a program in the namespace; its standard output, parsed. */
function within(program: string[], input: unknown): unknown {
  const namespace = ["--map-root-user", "--net", "--mount", "sh", "-c", enter, "sh"];
  const output = execFileSync(unshare.path, [...namespace, ...program], {
    input: JSON.stringify(input),
    stdio: ["pipe", "pipe", "ignore"],
    maxBuffer: 64 << 20,
  });
  return JSON.parse(output.toString());
}

function whySkip(): string | false {
  if (python3.skip !== false) return python3.skip;
  if (unshare.skip !== false) return unshare.skip;
  try {
    within(["echo", "1"], null);
    return false;
  } catch {
    return "no namespace may be made here";
  }
}
const skip = whySkip();

const PYTHON = `
import json, socket, sys
def outcome(call, args):
    try: return call(*args)
    except socket.gaierror as error: return ["gaierror", error.errno]
    except socket.herror as error: return ["herror", error.errno]
    except OSError: return "refused"
answers = []
for name, *args in json.load(sys.stdin):
    if name == "getnameinfo": args[0] = tuple(args[0])
    answers.append(outcome(getattr(socket, name), args))
print(json.dumps(answers))`;

/** Where CPython raises a plain OSError in words only, ours has a code. */
function agree(ours: unknown, theirs: unknown, message: string): void {
  if (theirs === "refused")
    assert.match(String((ours as unknown[])[0]), /^(gaierror|herror|E[A-Z]+)$/, message);
  // Its herror tells an h_errno that the reentrant calls do not set.
  else if ((theirs as unknown[])[0] === "herror") assert.equal((ours as unknown[])[0], "herror", message);
  else assert.deepEqual(ours, theirs, message);
}

function compare(calls: unknown[][]): unknown[] {
  const ours = within(
    [process.execPath, fileURLToPath(new URL("hosts-child.js", import.meta.url))],
    calls,
  ) as unknown[][];
  const theirs = within([python3.path, "-c", PYTHON], calls) as unknown[];
  for (const [i, call] of calls.entries()) {
    agree(ours[i]?.[0], theirs[i], JSON.stringify(call));
    agree(ours[i]?.[1], theirs[i], `on this thread: ${JSON.stringify(call)}`);
  }
  return theirs;
}

test("getaddrinfo() gives what CPython gives, for every mix of hosts, services and hints", { skip }, () => {
  const calls: unknown[][] = [];
  const hosts = [
    null,
    "localhost",
    "first",
    "both.example.org",
    "six",
    "127.0.0.1",
    "127.1",
    "0x7f.1",
    "::1",
    "fe80::1%lo",
  ];
  hosts.push(
    "",
    "alias-number-599.example.org",
    "::ffff:1.2.3.4",
    "fe80::1%9",
    "bücher.example",
    "BÜCHER.example",
    "1.2.3.4 ",
  );
  for (const host of hosts)
    for (const port of [null, 0, 80, 65535, "http", "80", "tftp", "nope", "-1", "65536", ""])
      for (const [type, proto] of [
        [0, 0],
        [SOCK_STREAM, 0],
        [SOCK_DGRAM, IPPROTO_UDP],
        [SOCK_DGRAM, IPPROTO_TCP],
      ])
        calls.push(["getaddrinfo", host, port, AF_UNSPEC, type, proto, 0]);
  for (const host of hosts)
    for (const family of [AF_INET, AF_INET6, AF_UNIX, 9999])
      for (const flags of [
        0,
        AI_PASSIVE,
        AI_CANONNAME,
        AI_NUMERICHOST,
        AI_NUMERICSERV,
        AI_V4MAPPED | AI_ALL,
        -1,
      ])
        calls.push(["getaddrinfo", host, "http", family, SOCK_STREAM, 0, flags]);
  const answers = compare(calls);
  const good = answers.filter((answer) => Array.isArray((answer as unknown[])[0])).length;
  assert.ok(good > 200 && good < answers.length - 200, `${good} of ${answers.length} found something`);
});

test("getaddrinfo() rejects as CPython does when no name server answers", { skip }, () => {
  const answers = compare([["getaddrinfo", "absent.example.org", 80, AF_UNSPEC, SOCK_STREAM, 0, 0]]);
  assert.deepEqual(answers, [["gaierror", berkeley.EAI_AGAIN]]);
});

test("getnameinfo() gives what CPython gives, for every mix of addresses and flags", { skip }, () => {
  const calls: unknown[][] = [];
  const flags = [
    0,
    NI_NUMERICHOST,
    NI_NUMERICSERV,
    NI_NUMERICHOST | NI_NUMERICSERV,
    NI_DGRAM,
    NI_NAMEREQD,
    NI_NOFQDN,
  ];
  for (const host of [
    "127.0.0.1",
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.77",
    "127.1",
    "first.example.org",
    "::1",
    "fe80::1%lo",
  ])
    for (const port of [0, 69, 80, 65535])
      for (const bits of [...flags, -1]) {
        // CPython forgets the zone of "fe80::1%lo" when no scope is given; here it holds.
        if (!host.includes("%")) calls.push(["getnameinfo", [host, port], bits]);
        if (!host.includes("%")) calls.push(["getnameinfo", [host, port, 0, 0], bits]);
        if (port === 80) calls.push(["getnameinfo", [host, port, 5, 1], bits]);
      }
  compare(calls);
});

test("gethostbyname() and its kin give what CPython gives", { skip }, () => {
  const calls: unknown[][] = [];
  const hosts = [
    "localhost",
    "first",
    "first.example.org",
    "other",
    "second",
    "six.example.org",
    "both",
    "nodots",
  ];
  hosts.push(
    "127.0.0.1",
    "127.1",
    "192.0.2.1",
    "192.0.2.2",
    "192.0.2.77",
    "2001:db8::1",
    "::1",
    "",
    "<broadcast>",
  );
  hosts.push("absent.example.org", "::ffff:192.0.2.1", "bücher.example");
  // For "" CPython reports an h_errno that the call did not set.
  for (const name of ["gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getfqdn"])
    for (const host of hosts) if (name !== "gethostbyname_ex" || host !== "") calls.push([name, host]);
  calls.push(["getfqdn"], ["getfqdn", " first "], ["getfqdn", "0.0.0.0"]);
  compare(calls);
});

test("gethostbyname_ex() and gethostbyaddr() find a host with 600 names, for which CPython has no room", {
  skip,
}, () => {
  const program = fileURLToPath(new URL("hosts-child.js", import.meta.url));
  const calls = [
    ["gethostbyname_ex", "alias-number-0.example.org"],
    ["gethostbyaddr", "192.0.2.9"],
  ];
  const answers = within([process.execPath, program], calls) as [string, string[], string[]][][];
  for (const [hostname, aliases, addresses] of answers.flat()) {
    assert.equal(hostname, "alias-number-0.example.org");
    assert.equal(aliases.length, 599);
    assert.deepEqual(addresses, ["192.0.2.9"]);
  }
});

test("getnameinfo() keeps the zone of a host when no scope is given", { skip }, () => {
  const calls = [["getnameinfo", ["fe80::1%lo", 80], NI_NUMERICHOST | NI_NUMERICSERV]];
  const program = fileURLToPath(new URL("hosts-child.js", import.meta.url));
  const named = ["fe80::1%lo", "80"];
  assert.deepEqual(within([process.execPath, program], calls), [[named, named]]);
});
