// An unbuffered file to write to: each write is sent whole. (makefile's own unbuffered file sends a part, as much as the
// kernel takes.)

import type { Data, Socket, WaitOptions } from "../../index.ts";
import { bytesOf } from "../../socket/bytes.ts";

/** `wfile` of a StreamRequestHandler whose wbufsize is 0. */
export class SocketWriter {
  readonly #socket: Socket;
  #closed = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /**
   * Sends all of the data: sendall().
   *
   * @returns how many bytes: all.
   * @throws {SocketError} as sendall().
   */
  async write(data: Data, options?: WaitOptions): Promise<number> {
    const bytes = bytesOf("data", data);
    await this.#socket.sendall(bytes, 0, options);
    return bytes.length;
  }

  /** Nothing is held back. */
  async flush(): Promise<void> {}

  /** The socket stays open. */
  async close(): Promise<void> {
    this.#closed = true;
  }

  get closed(): boolean {
    return this.#closed;
  }

  writable(): boolean {
    return true;
  }

  /** The socket's descriptor. */
  fileno(): number {
    return this.#socket.fileno();
  }
}
