// Handlers for threads of their own. Run by forking.test.ts.

import { threadId } from "node:worker_threads";
import { fromfd } from "berkeley/sync";
import { BaseRequestHandler } from "berkeley/socketserver";
import type { DatagramRequest } from "berkeley/socketserver";
import type { Socket } from "berkeley";

/** Does what the first word says; blocks its thread when it says so. */
export default class Handler extends BaseRequestHandler<Socket | DatagramRequest> {
  override async handle(): Promise<void> {
    if (Array.isArray(this.request)) {
      const [packet, socket] = this.request;
      await socket.sendto(`${packet.toString()} in ${threadId}`, this.client_address);
      return;
    }
    const word = (await this.request.recv(100)).toString();
    if (word === "throw") throw Object.assign(new Error("told to throw"), { code: "ERR_TOLD" });
    if (word === "die") process.exit(3);
    if (word === "block") {
      // Calls that block, which would stop every other request of the thread.
      const { family, type } = this.request;
      using blocking = fromfd(this.request.fileno(), family, type);
      blocking.sendall("blocked");
      blocking.recv(100);
    }
    await this.request.sendall(`${word} in ${threadId} of ${String(this.server.server_address)}`);
  }
}
