// A thread of a crew: handles the requests that it is sent, one at a time. What it is given is a descriptor's number; it
// works on a descriptor of its own, which its end closes, however it ends.

import { parentPort, workerData } from "node:worker_threads";
import { SOCK_STREAM, fromfd } from "../../index.ts";
import type { AnyAddress } from "../../index.ts";
import type { RequestHandlerClass } from "./base-server.ts";
import type { Answer, Task } from "./crew.ts";
import type { ServerOfRequest } from "./handlers.ts";
import { handleWith } from "./handlers.ts";

type AnyHandlerClass = RequestHandlerClass<unknown, AnyAddress, ServerOfRequest>;

const { default: HandlerClass } = (await import(workerData as string)) as { default: AnyHandlerClass };
if (typeof HandlerClass !== "function")
  throw new TypeError(`${workerData as string} has no class as its default export`);

/** A Buffer comes out of another thread as a Uint8Array. */
const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);
const asAddress = (address: AnyAddress): AnyAddress =>
  address instanceof Uint8Array ? asBuffer(address) : address;

async function handle(task: Task): Promise<void> {
  const { fd, family, type, proto, packet } = task;
  using own = fromfd(fd, family, type, proto);
  const request = type === SOCK_STREAM ? own : [asBuffer(packet as Uint8Array), own];
  const server = { server_address: asAddress(task.server_address) };
  await handleWith(new HandlerClass(request, asAddress(task.client_address), server));
}

parentPort?.on("message", (task: Task) => {
  const answer = (message: Answer): void => parentPort?.postMessage(message, []);
  handle(task).then(
    () => answer({}),
    (error: unknown) => {
      const { message, stack, code } = (
        error instanceof Error ? error : new Error(String(error))
      ) as Error & {
        code?: unknown;
      };
      answer({ error: { message, stack, code: typeof code === "string" ? code : undefined } });
    },
  );
});
