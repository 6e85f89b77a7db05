// The Deno peer: Deno.listen, Deno's own API, an async function per connection.
import { announce, BACKLOG, CHUNK_BYTES, chosenJob } from "./control.ts";

// The little of Deno's API that is used here; its types would come with the whole of it.
interface DenoConnection {
  read(buffer: Uint8Array): Promise<number | null>;
  write(data: Uint8Array): Promise<number>;
  setNoDelay(on: boolean): void;
  close(): void;
}
declare const Deno: {
  listen(options: { hostname: string; port: number; tcpBacklog: number }): AsyncIterable<DenoConnection> & {
    addr: { port: number };
  };
  errors: Record<"ConnectionReset" | "BrokenPipe", new () => Error>;
};

/** While a connection is idle, its read keeps the buffer; so it is a small one. */
const IDLE_BYTES = 64;

async function writeAll(connection: DenoConnection, data: Uint8Array): Promise<void> {
  let written = 0;
  while (written < data.length) written += await connection.write(data.subarray(written));
}

async function echo(connection: DenoConnection, bytes: number): Promise<void> {
  const buffer = new Uint8Array(bytes);
  try {
    for (;;) {
      const size = await connection.read(buffer);
      if (size === null) break;
      await writeAll(connection, buffer.subarray(0, size));
    }
  } catch (error) {
    ignoreDenosDeparture(error);
  } finally {
    connection.close();
  }
}

async function receive(connection: DenoConnection): Promise<void> {
  const buffer = new Uint8Array(CHUNK_BYTES);
  try {
    while ((await connection.read(buffer)) !== null);
  } catch (error) {
    ignoreDenosDeparture(error);
  } finally {
    connection.close();
  }
}

async function send(connection: DenoConnection): Promise<void> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  try {
    for (;;) await writeAll(connection, chunk);
  } catch (error) {
    ignoreDenosDeparture(error);
  } finally {
    connection.close();
  }
}

/** One byte each way, then this side closes. */
async function exchange(connection: DenoConnection): Promise<void> {
  const buffer = new Uint8Array(1);
  try {
    if ((await connection.read(buffer)) !== null) await writeAll(connection, buffer);
  } catch (error) {
    ignoreDenosDeparture(error);
  } finally {
    connection.close();
  }
}

function ignoreDenosDeparture(error: unknown): void {
  if (!(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)) throw error;
}

const jobs = {
  echo: (connection: DenoConnection) => echo(connection, CHUNK_BYTES),
  receive,
  send,
  exchange,
  idle: (connection: DenoConnection) => echo(connection, IDLE_BYTES),
};
const serve = jobs[chosenJob(["echo", "receive", "send", "exchange", "idle"])];

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0, tcpBacklog: BACKLOG });
announce(listener.addr.port);
for await (const connection of listener) {
  connection.setNoDelay(true);
  void serve(connection);
}
