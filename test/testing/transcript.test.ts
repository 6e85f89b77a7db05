// playTranscript(): recorded conversations between the two sides, with programs that we did not write, and what it says
// when somebody says something else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { serve } from "berkeley/http";
import { connectTcp, listenTcp, memoryPair } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { TranscriptError, playTranscript } from "berkeley/testing";
import type { TranscriptOptions } from "berkeley/testing";
import { start } from "../support/process.ts";
import { PYTHON, python } from "../support/python.ts";
import { transcript } from "../support/transcripts.ts";

const CUTS = ["whole", "bytes", "random"] as const;

const EVERY_BYTE = [
  "# every byte there is, and each side ends",
  `C: ${Array.from({ length: 256 }, (_, byte) => `\\x${byte.toString(16).padStart(2, "0")}`).join("")}\\`,
  "S: \\0\\t\\r\\n\\\\ größer 漢字\\\\",
  "",
  "C:",
  "C: two",
  "C:  spaces \\",
  "C ends",
  "S:",
  "S ends",
].join("\n");

for (const cuts of CUTS)
  test(`playTranscript() on both sides of a stream agrees with itself, saying what is to be said ${cuts}`, async () => {
    for (const text of [EVERY_BYTE, EVERY_BYTE.replaceAll("\n", "\r\n")]) {
      const [client, server] = memoryPair();
      await Promise.all([
        playTranscript(client, text, { side: "client", cuts }),
        playTranscript(server, text, { side: "server", cuts }),
      ]);
      for (const end of [client, server]) end.close();
    }
  });

test("playTranscript() says exactly the bytes that are written", async () => {
  const [client, server] = memoryPair();
  await playTranscript(client, 'C: a\\r\\n\\t\\0\\\\\\xfe"é \\\nC: b\nC:\nC: c\\\\', {
    side: "client",
    lineEnd: "\n",
  });
  client.close();
  const said = await server.receiveSome();
  assert.deepEqual(said, Buffer.from('a\r\n\t\0\\\xfe"\xc3\xa9 b\n\nc\\\n', "latin1"));
});

test("playTranscript() lets any bytes stand for \\*, up to the one that is written behind it", async () => {
  for (const date of ["", "today", "* \\ *", "x".repeat(100_000)]) {
    const [client, server] = memoryPair();
    const playing = playTranscript(client, "S: Date: \\*\nS: <\\*@here>\nS ends", { side: "client" });
    await server.sendAll(`Date: ${date}\r\n<1.2@here>\r\n`);
    await server.closeWrite();
    await playing;
    for (const end of [client, server]) end.close();
  }
});

/** Plays the client and says these words as the server; what it failed with. */
async function difference(
  text: string,
  said: string,
  options: Partial<TranscriptOptions> = {},
): Promise<string> {
  const [client, server] = memoryPair();
  await server.sendAll(said);
  await server.closeWrite();
  const error: unknown = await playTranscript(client, text, { side: "client", ...options }).then(
    () => assert.fail("nothing differs"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof TranscriptError, String(error));
  assert.equal(error.code, "ERR_TRANSCRIPT_DIFFERS");
  assert.ok(error.message.startsWith(`line ${error.line} of the transcript: `));
  assert.equal(client.closed, true);
  return error.message;
}

test("playTranscript() shows the first byte that differs, with the lines before it", async () => {
  const text = "# greeting\nC: zero\nS: one\nS: two\nC: three\nS: four\\x00\\*\nS: five\n";
  assert.equal(
    await difference(text, "one\r\ntwo\r\nfour\0\x7fé\r\nfife\r\nand more of it\r\n"),
    [
      "line 7 of the transcript: the server said something else",
      "       4 S: two",
      "       5 C: three",
      "       6 S: four\\x00\\*",
      "expected S: five\\r\\n",
      "received S: fife\\r\\nand more of it\\r\\n",
      "              ^",
    ].join("\n"),
  );
});

for (const [what, text, said, pattern] of [
  [
    "ends too early",
    "S: one",
    "one\r",
    /line 1 .* the server ended too early\nexpected S: one\\r\\n\nreceived S: one\\r\n {17}\^$/,
  ],
  ["ends without a word", "S: one", "", /the server ended too early\n.*\nreceived S: \n/],
  [
    "does not end",
    "S: one\nS ends",
    "one\r\ntwo",
    /line 2 .* goes on instead of ending\n.*\nexpected S ends\nreceived S: two\n/,
  ],
  [
    "says more than there is",
    "S: one\n\n",
    "one\r\ntwo",
    /line 2 .* more than the transcript has\n.*\nexpected nothing\nreceived S: two/,
  ],
  ["says a line with another end", "S: one", "one\n", /expected S: one\\r\\n\nreceived S: one\\n\n/],
  [
    "says something else behind \\*",
    "S: <\\*>!",
    "<any>?",
    /expected S: <\\\*>!\\r\\n\nreceived S: <any>\?\n/,
  ],
  [
    "says something else in a long line",
    `S: ${"a".repeat(9999)}b`,
    "a".repeat(10_000),
    /received S: …a{200}a\n/,
  ],
] as const)
  test(`playTranscript() fails when the peer ${what}`, async () => {
    assert.match(await difference(text, said), pattern);
  });

test("playTranscript() names the seed of random cuts in what it fails with", async () => {
  assert.match(await difference("C: hello\nS: one", "two", { cuts: "random", seed: 7 }), /\[seed 7\]$/);
});

for (const [what, text, line] of [
  ["a line of nobody", "C: hello\nX: hello", 2],
  ["a line without a colon", "C hello", 1],
  ["an escape that is none", "C: \\q", 1],
  ["half an escape", "S: one\nC: \\x4", 2],
  ["\\* with nothing behind it", "S: \\*\\", 1],
  ["\\* twice", "S: \\*\\*", 1],
  ["\\* where it is to be said", "S: one\nC: \\*", 2],
  ["nothing", "# nothing\n\n", 1],
] as const)
  test(`playTranscript() refuses a transcript with ${what}`, async () => {
    const [client, server] = memoryPair();
    await assert.rejects(playTranscript(client, text, { side: "client" }), {
      name: "TranscriptError",
      code: "ERR_TRANSCRIPT_SYNTAX",
      line,
    });
    assert.equal((await server.receiveSome()).length, 0);
    server.close();
  });

test("playTranscript() refuses arguments that are none, and names them", async () => {
  const [client] = memoryPair();
  const played = (...args: readonly unknown[]): Promise<void> =>
    playTranscript(client, ...(args as [string, TranscriptOptions]));
  for (const [args, name] of [
    [[5, { side: "client" }], /transcript/],
    [["C: a", { side: "C" }], /options\.side/],
    [["C: a", { side: "client", cuts: "toString" }], /options\.cuts/],
  ] as const)
    await assert.rejects(played(...args), { code: "ERR_INVALID_ARG_TYPE", message: name });
  client.close();
});

test("playTranscript() ends with its signal's reason, and says which line could not be sent", async () => {
  const stop = new AbortController();
  const [client, server] = memoryPair();
  const playing = playTranscript(client, "S: one", { side: "client", signal: stop.signal });
  stop.abort(new Error("enough"));
  await assert.rejects(playing, { message: "enough" });
  server.close();
  const [other, gone] = memoryPair();
  gone.close();
  await assert.rejects(
    playTranscript(other, "C: hello", { side: "client" }),
    /EPIPE.*line 1 .*: C: hello\)$/,
  );
});

test("playTranscript() serves CPython's smtplib, which a recorded conversation tells to go on", {
  skip: PYTHON.skip,
}, async () => {
  for (const cuts of CUTS) {
    await using listener = await listenTcp("127.0.0.1");
    await using peer = python(
      `
import smtplib
with smtplib.SMTP("127.0.0.1", int(sys.argv[1]), local_hostname="client.example") as client:
    refused = client.sendmail("a@client.example", ["b@mail.example", "nobody@mail.example"],
        "Subject: a dot\\n\\n.\\n.at the beginning of a line\\nnot at its end.\\n")
    say(refused)
`,
      [(listener.localAddress as [string, number])[1]],
    );
    await using stream = await listener.accept();
    await playTranscript(stream, transcript("smtp-smtplib"), { side: "server", cuts });
    const { stdout } = await peer.succeeded();
    assert.equal(stdout.toString(), "{'nobody@mail.example': (550, b'5.1.1 no such user')}\n");
  }
});

const SMTP = `
import asyncio
from aiosmtpd.smtp import SMTP
class Handler:
    async def handle_DATA(self, server, session, envelope):
        return "250 kept"
async def main():
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(Handler(), hostname="peer"), "127.0.0.1", 0)
    print("listening on", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
`;

test("playTranscript() speaks with aiosmtpd as a recorded client", { skip: PYTHON.skip }, async () => {
  await using peer = start(PYTHON.path, ["-c", SMTP]);
  const [, port] = await peer.line(/^listening on (\d+)$/m);
  for (const cuts of CUTS) {
    await using stream = await connectTcp("127.0.0.1", Number(port));
    await playTranscript(stream, transcript("smtp-aiosmtpd"), { side: "client", cuts });
  }
});

test("playTranscript() holds a server of berkeley/http to a recorded conversation, however it is cut", async () => {
  await using server = await serve({
    handle: async (request, reply) => {
      await request.text();
      reply.send(200, undefined, `${request.method} ${request.path}`);
    },
  });
  const [host, port] = server.localAddress as [string, number];
  const play = async (cuts: TranscriptOptions["cuts"]): Promise<void> => {
    const stream: ByteStream = await connectTcp(host, port);
    await playTranscript(stream, transcript("http-keep-alive"), { side: "client", cuts });
    stream.close();
  };
  await Promise.all(CUTS.map(play));
});
