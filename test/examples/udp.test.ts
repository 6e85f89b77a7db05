// The example of batches, with a CPython client.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ROOT } from "../support/cli.ts";
import { start } from "../support/process.ts";
import { PYTHON, python } from "../support/python.ts";

const CLIENT = `
host, port = sys.argv[1], int(sys.argv[2])
s = socket(AF_INET6 if ":" in host else AF_INET, SOCK_DGRAM)
s.settimeout(60)
total = 0
for size in (0, 1, 600, 4500):
    for turn in range(20):
        sent = [bytes([turn, n]) * size for n in range(5)]
        for data in sent: s.sendto(data, (host, port))
        for data in sent:
            answer, address = s.recvfrom(65536)
            assert answer == data and address[:2] == (host, port), (size, turn, len(answer), address)
        total += len(sent)
print(total)
`;

for (const [bound, asked] of [
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "127.1.2.3"],
  ["::", "::1"],
] as const)
  test(`udp-echo at ${bound} answers each datagram of a CPython client from ${asked}`, {
    skip: PYTHON.skip,
  }, async () => {
    await using server = start(process.execPath, [`${ROOT}out/examples/udp-echo.js`, bound]);
    const [, port] = await server.line(/^listening on \S+ (\d+)$/m);
    await using client = python(CLIENT, [asked, port as string]);
    assert.equal((await client.succeeded()).stdout.toString(), "400\n");
    server.kill("SIGTERM");
    const { stdout } = await server.succeeded();
    assert.match(stdout.toString(), /^answered 400 with recvmmsg and GRO, sendmmsg$/m);
  });
