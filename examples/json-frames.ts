// JSON messages, each behind its length in 4 bytes: a server that adds up what it is sent, and its client.
// node json-frames.js serve [PORT]
// node json-frames.js add PORT NUMBER…
import { connectTcp, frames, listenTcp } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { lengthPrefixed } from "berkeley/wire";

/** No message is longer: the peer decides what it sends, and we how much of it we hold. */
const framing = lengthPrefixed({ frameBytesMax: 10_000 });

async function answer(stream: ByteStream): Promise<void> {
  let sum = 0;
  try {
    for await (const frame of frames(stream, framing.decoder())) {
      sum += (JSON.parse(frame.toString()) as { add: number }).add;
      await stream.sendAll(framing.encode(JSON.stringify({ sum })));
    }
  } catch (error) {
    console.log(`refused: ${(error as { code?: string }).code ?? String(error)}`);
  } finally {
    stream.close();
  }
}

async function serve(port: number): Promise<void> {
  await using listener = await listenTcp("127.0.0.1", port);
  const [, picked] = listener.localAddress as [string, number];
  console.log(`listening on 127.0.0.1 ${picked}`);
  for (;;) void answer(await listener.accept());
}

async function add(port: number, numbers: readonly number[]): Promise<void> {
  await using stream = await connectTcp("localhost", port, { signal: AbortSignal.timeout(5000) });
  await stream.sendAll(framing.encode(numbers.map((number) => JSON.stringify({ add: number }))));
  await stream.closeWrite();
  for await (const frame of frames(stream, framing.decoder())) console.log(frame.toString());
}

const [, , verb, port = "0", ...numbers] = process.argv;
await (verb === "serve" ? serve(Number(port)) : add(Number(port), numbers.map(Number)));
