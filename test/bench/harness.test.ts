// The bench works, whatever its figures are: one very short round against node:net and C, failures that
// are reported as such, and the arithmetic. No figure is compared with another here.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import { promisify } from "node:util";
import { compileNative, nativeProgram } from "../../bench/support/native.ts";
import { inProject } from "../../bench/support/paths.ts";
import type { Question } from "../../bench/support/question.ts";
import { askQuestion } from "../../bench/support/rounds.ts";
import { median, ratios, spread } from "../../bench/support/statistics.ts";
import { replaceSummary, summaryTable } from "../../bench/support/tables.ts";
import { requirePeer } from "../support/peers.ts";

const run = promisify(execFile);

before(compileNative);

// A second each: on a busy machine a server may be kept from its core for longer than a tenth of one.
test("bench answers a question with figures, ratios and a report when asked for one short round", async () => {
  const folder = await mkdtemp(join(tmpdir(), "berkeley-bench-"));
  try {
    const options = [
      "--rounds",
      "1",
      "--seconds",
      "1",
      "--warmup",
      "0.1",
      "--peers",
      "node-net,c",
      "--out",
      folder,
    ];
    const { stdout } = await run(process.execPath, [inProject("out/bench/main.js"), "echo-1x64", ...options]);
    assert.match(stdout, /\| node:net +\|/);
    const result = JSON.parse(await readFile(join(folder, "echo-1x64.json"), "utf8"));
    assert.deepEqual(
      result.entries.map((entry: { peer: string }) => entry.peer),
      ["node-net", "c"],
    );
    for (const entry of result.entries) {
      assert.equal(entry.failure, undefined);
      assert.equal(entry.samples.length, 1);
      assert.ok(entry.samples[0].perSecond > 0);
    }
    assert.deepEqual(result.entries[0].ratioToNodeNet, { median: 1, min: 1, max: 1 });
    assert.deepEqual((await readdir(folder)).filter((name) => name.endsWith(".md")).length, 1);
  } finally {
    await rm(folder, { recursive: true });
  }
});

for (const name of ["ws-echo-64x64", "ws-broadcast"])
  test(`bench answers ${name} with what came back when asked for one short round`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "berkeley-bench-"));
    try {
      const options = "--rounds 1 --seconds 1 --warmup 0.1 --peers berkeley,node-net --out".split(" ");
      await run(process.execPath, [inProject("out/bench/main.js"), name, ...options, folder]);
      const result = JSON.parse(await readFile(join(folder, `${name}.json`), "utf8"));
      assert.equal(result.entries.length, name === "ws-echo-64x64" ? 3 : 2);
      for (const entry of result.entries) {
        assert.equal(entry.failure, undefined);
        assert.ok(entry.samples[0].perSecond > 0);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

test("bench answers http-client with what the clients counted when asked for one short round", async () => {
  const folder = await mkdtemp(join(tmpdir(), "berkeley-bench-"));
  try {
    const options = "--rounds 1 --seconds 0.5 --warmup 0.1 --peers berkeley,node-net --out".split(" ");
    const main = inProject("out/bench/main.js");
    const { stdout } = await run(process.execPath, [main, "http-client", ...options, folder]);
    assert.match(stdout, /× undici request/);
    const result = JSON.parse(await readFile(join(folder, "http-client.json"), "utf8"));
    assert.equal(result.entries.length, 5);
    for (const entry of result.entries) {
      assert.equal(entry.failure, undefined);
      assert.ok(entry.samples[0].perSecond > 0);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

for (const name of ["udp-receive-gro", "udp-send-gso"])
  test(`bench answers ${name} with what both ends counted when asked for one short round`, async () => {
    const folder = await mkdtemp(join(tmpdir(), "berkeley-bench-"));
    try {
      const options = "--rounds 1 --seconds 0.5 --warmup 0.1 --peers berkeley,node-net,c --out".split(" ");
      const { stdout } = await run(process.execPath, [
        inProject("out/bench/main.js"),
        name,
        ...options,
        folder,
      ]);
      assert.match(stdout, /× node:dgram/);
      const result = JSON.parse(await readFile(join(folder, `${name}.json`), "utf8"));
      for (const entry of result.entries) {
        assert.equal(entry.failure, undefined);
        assert.ok(entry.samples[0].perSecond > 0 && entry.samples[0].otherEndPerSecond > 0);
      }
      assert.equal(result.entries.length, 3);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

const wrk = requirePeer("wrk");
test("bench answers http-upload with what wrk saw when asked for one short round", {
  skip: wrk.skip,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), "berkeley-bench-"));
  try {
    const options = "--rounds 1 --seconds 1 --warmup 0.1 --peers node-net --out".split(" ");
    await run(process.execPath, [inProject("out/bench/main.js"), "http-upload", ...options, folder]);
    const result = JSON.parse(await readFile(join(folder, "http-upload.json"), "utf8"));
    assert.equal(result.entries.length, 1);
    assert.equal(result.entries[0].failure, undefined);
    assert.ok(result.entries[0].samples[0].perSecond > 0 && result.entries[0].samples[0].p50Us > 0);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("bench answers workers-every-core with workers and with processes when asked for one short round", async () => {
  const folder = await mkdtemp(join(tmpdir(), "berkeley-bench-"));
  try {
    const options = "--rounds 1 --seconds 0.5 --warmup 0.1 --peers berkeley,node-net --out".split(" ");
    await run(process.execPath, [inProject("out/bench/main.js"), "workers-every-core", ...options, folder]);
    const result = JSON.parse(await readFile(join(folder, "workers-every-core.json"), "utf8"));
    assert.equal(result.entries.length, 3);
    for (const entry of result.entries) {
      assert.equal(entry.failure, undefined);
      assert.ok(entry.samples[0].perSecond > 0);
    }
    assert.match(result.machine.pinning, /every core/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("askQuestion() reports a contestant's failure and ends its server when measuring throws", async () => {
  let pid = 0;
  const question: Question = {
    name: "failing",
    title: "Failing",
    columns: [{ key: "figure", title: "figures", better: "more" }],
    contestants: [{ label: "node:net", peer: "node-net", job: "echo" }],
    measure: (server) => {
      pid = server.pid;
      return Promise.reject(new Error("no figure"));
    },
  };
  const options = { rounds: 2, seconds: 0.1, warmup: 0.1, peers: ["node-net"] as const, report: () => {} };
  const result = await askQuestion(question, options);
  assert.deepEqual(result.entries[0]?.samples, []);
  assert.equal(result.entries[0]?.failure, "no figure");
  assert.ok(pid > 0);
  assert.equal(existsSync(`/proc/${pid}`), false);
});

test("load says which connection was refused when nobody listens", async () => {
  const listener = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => listener.once("listening", resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  const failure = await failureOf(["--mode", "pingpong", "--port", String(port)]);
  assert.match(failure, new RegExp(`^connection 0 to port ${port}: Connection refused`));
});

test("load reports the connection when other bytes come back than were sent", async () => {
  const listener = createServer((socket) =>
    socket.on("data", (data) => socket.write(data.map((byte) => ~byte))),
  );
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  listener.on("connection", (socket) => socket.on("error", () => {})); // The generator leaves by reset.
  const { port } = listener.address() as AddressInfo;
  const failure = await failureOf(["--mode", "pingpong", "--port", String(port)]);
  listener.close();
  assert.match(failure, /^connection 0: other bytes came back than were sent/);
});

for (const [what, args, message] of [
  ["an unknown mode", ["--mode", "shout", "--port", "1"], /^--mode does not know "shout"/],
  [
    "a port that is no number",
    ["--mode", "send", "--port", "http"],
    /^--port takes a whole number from 1 to 65535/,
  ],
  ["no port", ["--mode", "send"], /^--mode and --port are needed/],
] as const)
  test(`load refuses its arguments when given ${what}`, async () => {
    assert.match(await failureOf(args), message);
  });

test("load says how many descriptors it needs when the hard limit is lower", async () => {
  const command = 'ulimit -n 64 && exec "$0" --mode idle --port 1 --connections 100';
  assert.match(
    await failureOf(["-c", command, nativeProgram("load")], "/bin/sh"),
    /^132 open files are needed/,
  );
});

test("median() returns the middle value, the mean of two, or NaN when there are none", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.equal(median([]), Number.NaN);
});

test("spread() and ratios() return undefined when there is nothing to divide", () => {
  assert.equal(spread([]), undefined);
  assert.equal(ratios([1, 2], []), undefined);
  assert.equal(ratios([1], [0]), undefined);
});

test("ratios() divides round by round when both sides have rounds", () => {
  assert.deepEqual(ratios([2, 9, 8], [1, 3, 2]), { median: 3, min: 2, max: 4 });
});

test("replaceSummary() replaces what is between the markers, and throws when they are not there", () => {
  const readme = "a\n<!-- bench:start -->\nold\n<!-- bench:end -->\nz";
  assert.equal(replaceSummary(readme, "new"), "a\n<!-- bench:start -->\nnew\n<!-- bench:end -->\nz");
  assert.throws(() => replaceSummary("a", "new"), /has no <!-- bench:start -->/);
  assert.equal(summaryTable([]), "Not measured yet.");
});

/** What the generator says on standard error; it must end with status 1. */
async function failureOf(args: readonly string[], program: string = nativeProgram("load")): Promise<string> {
  let said = "";
  await assert.rejects(run(program, args), (error: Error & { code?: unknown; stderr?: string }) => {
    said = error.stderr ?? "";
    return error.code === 1;
  });
  return said;
}
