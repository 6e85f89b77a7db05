// The example of streams and frames: its server and client against each other and against CPython's struct.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";
import type { Child } from "../support/process.ts";
import { PYTHON, python } from "../support/python.ts";

const example = (...args: string[]): Child =>
  start(process.execPath, [`${ROOT}out/examples/json-frames.js`, ...args]);

async function serving(server: Child): Promise<string> {
  const [, port] = await server.line(/^listening on \S+ (\d+)$/m);
  return port as string;
}

const CLIENT = `
import json
sock = create_connection(("127.0.0.1", int(sys.argv[1])))
file = sock.makefile("rwb")
for number in sys.argv[2:]:
    text = json.dumps({"add": int(number)}).encode()
    file.write(struct.pack(">I", len(text)) + text)
    file.flush()
    (length,) = struct.unpack(">I", file.read(4))
    print(json.loads(file.read(length))["sum"])
`;

test("json-frames adds up what its client and CPython send, each connection for itself", {
  skip: PYTHON.skip,
}, async () => {
  await using server = example("serve");
  const port = await serving(server);
  await using client = example("add", port, "1", "2", "39");
  await using other = python(CLIENT, [port, "10", "20"]);
  const [own, theirs] = [await client.succeeded(), await other.succeeded()];
  assert.equal(own.stdout.toString(), '{"sum":1}\n{"sum":3}\n{"sum":42}\n');
  assert.equal(theirs.stdout.toString(), "10\n30\n");
});

test("json-frames refuses a frame that is too long, and serves on", { skip: PYTHON.skip }, async () => {
  await using server = example("serve");
  const port = await serving(server);
  await using rude = python(
    `sock = create_connection(("127.0.0.1", int(sys.argv[1])))
sock.sendall(b"\\xff\\xff\\xff\\xff")
print(len(sock.recv(10)))`,
    [port],
  );
  assert.equal((await rude.succeeded()).stdout.toString(), "0\n");
  await server.line(/^refused: ERR_FRAME_TOO_LONG$/m);
  await using client = example("add", port, "5");
  assert.equal((await client.succeeded()).stdout.toString(), '{"sum":5}\n');
});
