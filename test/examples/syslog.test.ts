// syslog: what it writes is heard by CPython's socketserver, over datagrams and over a stream, and has the form of what
// logger(1) and CPython's SysLogHandler write to the same place.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { requirePeer } from "../support/peers.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON, python } from "../support/python.ts";

const logger = requirePeer("logger");
const folder = mkdtempSync(join(tmpdir(), "berkeley-syslog-"));
after(() => rmSync(folder, { recursive: true }));

const PATHS = { Datagram: join(folder, "dgram"), Stream: join(folder, "stream") };

/** A log's daemon of each kind: prints each message in hex, between bars, so that nothing in it can be mistaken. */
const DAEMON = `
import socketserver, threading
class Datagram(socketserver.BaseRequestHandler):
    def handle(self): say("heard", self.request[0].hex())
class Stream(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile.read().split(b"\\0")[:-1]: say("heard", line.hex())
for path, server, handler in [(sys.argv[1], socketserver.UnixDatagramServer, Datagram),
                              (sys.argv[2], socketserver.ThreadingUnixStreamServer, Stream)]:
    threading.Thread(target=server(path, handler).serve_forever, daemon=True).start()
say("listening")
sys.stdin.read()`;

/** Starts the daemon of a test of its own. */
async function daemon(): Promise<Child> {
  for (const path of Object.values(PATHS)) rmSync(path, { force: true });
  const child = python(DAEMON, Object.values(PATHS));
  await child.line(/^listening$/m);
  return child;
}

/** The next message that the daemon heard, after those that it had heard before. */
async function heard(child: Child, before: number): Promise<string> {
  const [, hex] = await child.line(new RegExp(`(?:^heard .*\\n(?:.*\\n)*?){${before}}^heard (\\w+)$`, "m"));
  return Buffer.from(hex as string, "hex").toString();
}

const run = async (...args: string[]): Promise<void> => {
  await using child = start(process.execPath, [`${ROOT}out/examples/syslog.js`, ...args]);
  await child.succeeded();
};

const RFC5424 =
  /^<(\d+)>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3,6}(?:Z|[+-]\d\d:\d\d)) (\S+) (\S+) (\S+) (\S+) (-|\[.*\]) \uFEFF?(.*)$/;
const RFC3164 = /^<(\d+)>([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) (\S+?)(?:\[(\d+)\])?: (.*)$/;

for (const [kind, path] of Object.entries(PATHS)) {
  test(`syslog writes a line of RFC 5424 that a CPython ${kind} server hears`, {
    skip: PYTHON.skip,
  }, async () => {
    await using log = await daemon();
    await run("--path", path, "--priority", "local3.err", "--tag", "my app", "grüße, 世界");
    const [, priority, time, host, tag, process, id, data, message] = RFC5424.exec(await heard(log, 0)) ?? [];
    assert.deepEqual([priority, host, tag, id, data], [String(19 * 8 + 3), hostname(), "myapp", "-", "-"]);
    assert.match(process as string, /^\d+$/);
    assert.ok(Math.abs(Date.parse(time as string) - Date.now()) < 60_000);
    assert.equal(message, "grüße, 世界");
  });

  test(`syslog writes a line of RFC 3164 that a CPython ${kind} server hears`, {
    skip: PYTHON.skip,
  }, async () => {
    await using log = await daemon();
    await run("--path", path, "--rfc3164", "--tag", "app", "hello", "there");
    const [, priority, , tag, process, message] = RFC3164.exec(await heard(log, 0)) ?? [];
    assert.deepEqual([priority, tag, message], ["13", "app", "hello there"]);
    assert.match(process as string, /^\d+$/);
  });
}

test("syslog writes the priorities, the form and the message that logger(1) writes", {
  skip: PYTHON.skip || logger.skip,
}, async () => {
  await using log = await daemon();
  let count = 0;
  for (const priority of ["daemon.debug", "local7.emerg"])
    for (const form of ["--rfc3164", "--rfc5424"]) {
      const told = ["-u", PATHS.Datagram, "-p", priority, "-t", "app", "--id"];
      await using reference = start(logger.path, [...told, form, "a message"], { input: "" });
      await reference.succeeded();
      const theirs = await heard(log, count++);
      await run(
        "--path",
        PATHS.Datagram,
        ...(form === "--rfc3164" ? [form] : []),
        "--priority",
        priority,
        "--tag",
        "app",
        "a message",
      );
      const ours = await heard(log, count++);
      if (form === "--rfc5424") {
        const [a, b] = [RFC5424.exec(theirs), RFC5424.exec(ours)];
        assert.deepEqual([b?.[1], b?.[3], b?.[4], b?.[6], b?.[8]], [a?.[1], a?.[3], a?.[4], a?.[6], a?.[8]]);
      } else {
        // logger(1) names the host here, though syslog(3) does not.
        const [a, b] = [RFC3164.exec(theirs.replace(` ${hostname()} `, " ")), RFC3164.exec(ours)];
        assert.deepEqual([b?.[1], b?.[3], b?.[5]], [a?.[1], a?.[3], a?.[5]]);
      }
    }
});

test("syslog writes the number and the message of CPython's SysLogHandler", {
  skip: PYTHON.skip,
}, async () => {
  await using log = await daemon();
  await using reference = python(
    `
import logging, logging.handlers
handler = logging.handlers.SysLogHandler(sys.argv[1], "local5")
handler.append_nul = False
logger = logging.getLogger()
logger.addHandler(handler)
logger.critical("a message")`,
    [PATHS.Datagram],
  );
  await reference.succeeded();
  const theirs = await heard(log, 0);
  await run("--path", PATHS.Datagram, "--rfc3164", "--priority", "local5.crit", "a message");
  const ours = await heard(log, 1);
  assert.equal(/^<\d+>/.exec(ours)?.[0], /^<\d+>/.exec(theirs)?.[0]);
  assert.ok(theirs.endsWith("a message") && ours.endsWith(" a message"));
});

test("syslog says what is wrong: a priority that is none, a log that is not there", async () => {
  for (const [args, message] of [
    [["--priority", "user.loud", "x"], /no such priority: user\.loud/],
    [["--priority", "notice", "x"], /no such priority: notice/],
    [["--path", join(folder, "nobody"), "x"], /ENOENT/],
  ] as const) {
    await using child = start(process.execPath, [`${ROOT}out/examples/syslog.js`, ...args]);
    const { code, stderr } = await child.exited;
    assert.equal(code, 1);
    assert.match(stderr.toString(), message);
  }
});
