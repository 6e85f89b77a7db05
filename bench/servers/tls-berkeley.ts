// Berkeley under TLS: the loops of berkeley.ts over streams, each with its descriptor in Node's hands or wrapped.
import { listenTcp } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { acceptTls, TlsServerContext } from "berkeley/tls";
import { announce, BACKLOG, CHUNK_BYTES, chosenJob, ignoreDeparture, tlsIdentity } from "./control.ts";

async function echo(stream: ByteStream): Promise<void> {
  for (;;) {
    const data = await stream.receiveSome();
    if (data.length === 0) return;
    await stream.sendAll(data);
  }
}

async function receive(stream: ByteStream): Promise<void> {
  while ((await stream.receiveSome()).length > 0);
}

async function send(stream: ByteStream): Promise<void> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  for (;;) await stream.sendAll(chunk);
}

/** A stream that TLS cannot take the descriptor of. */
function wrapped(stream: ByteStream): ByteStream {
  return Object.assign(Object.create(null) as ByteStream, {
    receiveSome: stream.receiveSome.bind(stream),
    sendAll: stream.sendAll.bind(stream),
    closeWrite: stream.closeWrite.bind(stream),
    close: stream.close.bind(stream),
  });
}

const jobs = { "tls-echo": echo, "tls-echo-wrapped": echo, "tls-receive": receive, "tls-send": send };
const job = chosenJob(Object.keys(jobs) as (keyof typeof jobs)[]);
const context = new TlsServerContext(tlsIdentity());

async function serve(accepted: ByteStream): Promise<void> {
  try {
    await using stream = await acceptTls(job === "tls-echo-wrapped" ? wrapped(accepted) : accepted, context);
    await jobs[job](stream);
  } catch (error) {
    ignoreDeparture(error);
  }
}

const listener = await listenTcp("127.0.0.1", 0, { backlog: BACKLOG });
announce((listener.localAddress as [string, number])[1]);
for (;;) void serve(await listener.accept());
