// Small conversations over Berkeley's sockets that several tests have.

import { AF_INET, AF_INET6, create_server } from "berkeley";
import type { Socket } from "berkeley";

/** A listener, closed when disposed. */
export interface Listener extends Disposable {
  readonly server: Socket;
  readonly port: number;
  /** The next connection. */
  accept(): Promise<Socket>;
}

/** Listens at a port that the system picks. */
export function listenAt(host = "127.0.0.1"): Listener {
  const server = create_server([host, 0], { family: host.includes(":") ? AF_INET6 : AF_INET });
  return {
    server,
    port: server.getsockname()[1],
    accept: async () => (await server.accept())[0],
    [Symbol.dispose]: () => server.close(),
  };
}

/** All that arrives until the peer has ended. */
export async function receiveToEnd(conn: Socket, bufsize = 65_536): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const data = await conn.recv(bufsize);
    if (data.length === 0) return Buffer.concat(chunks);
    chunks.push(data);
  }
}

/** Exactly so many bytes. */
export async function receiveExactly(conn: Socket, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const bytes = await conn.recv_into(buffer.subarray(filled));
    if (bytes === 0) throw new Error(`the peer ended after ${filled} of ${length} bytes`);
    filled += bytes;
  }
  return buffer;
}
