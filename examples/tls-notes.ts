// Notes for those who have a certificate: the server knows its clients by theirs, and they know it by its own.
// node tls-notes.js serve CERTIFICATE KEY CA [PORT]
// node tls-notes.js add CERTIFICATE KEY CA PORT NOTE…
// All are PEM files; the server's certificate is for "localhost". On SIGHUP it reads its own anew.
import { readFileSync } from "node:fs";
import { serve, shutdownOnSignals } from "berkeley/server";
import { linesOf } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { connectTls, listenTls } from "berkeley/tls";
import type { TlsStream } from "berkeley/tls";

const [, , verb, certificatePath = "", keyPath = "", caPath = "", port = "0", ...words] = process.argv;
const identity = (): { certificate: Buffer; key: Buffer } => ({
  certificate: readFileSync(certificatePath),
  key: readFileSync(keyPath),
});
const ca = readFileSync(caPath);
/** Notes by who wrote them. */
const notes = new Map<string, number>();

async function take(stream: ByteStream, { accepted }: { readonly accepted: TlsStream }): Promise<void> {
  await accepted.handshake();
  const who = accepted.peerCertificate?.subject ?? "nobody";
  for await (const line of linesOf(stream)) {
    notes.set(who, (notes.get(who) ?? 0) + 1);
    console.log(`${who}: ${line}`);
    await stream.sendAll(`${notes.get(who)}\n`);
  }
}

async function serveNotes(): Promise<void> {
  const listener = await listenTls("127.0.0.1", Number(port), {
    ...identity(),
    ca,
    clientCertificate: "required",
  });
  const server = serve(listener, take, {
    onError: (error) => console.log(`refused: ${(error as { code?: string }).code ?? String(error)}`),
  });
  process.on("SIGHUP", () => {
    try {
      listener.context.setIdentity(identity());
      console.log("has new certificates");
    } catch (error) {
      console.log(`keeps its certificates: ${(error as Error).message}`);
    }
  });
  const [, picked] = server.localAddress as [string, number];
  console.log(`listening on 127.0.0.1 ${picked}`);
  using _ = shutdownOnSignals(server);
  await server.finished;
}

async function add(): Promise<void> {
  await using stream = await connectTls("127.0.0.1", Number(port), {
    serverName: "localhost",
    identity: identity(),
    ca,
    signal: AbortSignal.timeout(5000),
  });
  await stream.sendAll(words.map((note) => `${note}\n`).join(""));
  await stream.closeWrite();
  for await (const line of linesOf(stream)) console.log(`note ${line}`);
}

await (verb === "serve" ? serveNotes() : add());
