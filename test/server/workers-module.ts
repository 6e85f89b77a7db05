// The handler of workers.test.ts: does what each line says, and says which thread did.

import { threadId } from "node:worker_threads";
import type { Handler } from "berkeley/server";
import { connectTcp } from "berkeley/stream";

if (process.argv[2] === "fail") throw new Error("told to fail");
// "wait PORT": loads until whoever listens there ends the connection.
if (process.argv[2] === "wait") {
  await using gate = await connectTcp("127.0.0.1", Number(process.argv[3]));
  await gate.receiveSome();
}

const handler: Handler = async (stream, { stopping }) => {
  for (;;) {
    const word = (await stream.receiveSome(100)).toString();
    if (word === "") return;
    if (word === "exit") process.exit(3);
    if (word === "throw")
      setImmediate(() => {
        throw new Error("nobody catches this");
      });
    if (word === "fail") throw Object.assign(new Error("a handler's"), { code: "ERR_OURS" });
    if (word === "block") for (;;);
    if (word === "stopping") await new Promise((resolve) => stopping.addEventListener("abort", resolve));
    await stream.sendAll(`${word} ${threadId}`);
  }
};
export default handler;
