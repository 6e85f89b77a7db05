// A server under load, and the clients that load it, each in a process of its own. Run by overload.test.ts.
//
//   overload-child serve CONNECTIONS_MAX | overload-child load PORT CLIENTS

import { create_connection } from "berkeley";
import { serve } from "berkeley/server";
import { listenTcp } from "berkeley/stream";
import { residentBytes } from "../support/process.ts";
import { gate } from "./support.ts";

/** A handler's work: it takes a while, and no processor time. */
const WORK_MS = 2;

async function server(connectionsMax: number): Promise<void> {
  let [running, most, served] = [0, 0, 0];
  const order: number[] = [];
  let early = 0;
  const full = gate();
  const listener = await listenTcp("127.0.0.1");
  const serving = serve(
    listener,
    async (stream) => {
      most = Math.max(most, ++running);
      if (running === connectionsMax) full.open();
      const number = Number(await stream.receiveSome());
      order.push(number);
      await full.opened;
      await new Promise((resolve) => setTimeout(resolve, WORK_MS));
      await stream.sendAll(`${number}`);
      running--;
      if (++served === 500) early = residentBytes(process.pid);
    },
    { connectionsMax },
  );
  console.log(`port ${(listener.localAddress as [string, number])[1]}`);
  await new Promise((resolve) => process.stdin.resume().on("end", resolve));
  const grown = residentBytes(process.pid) - early;
  const stats = serving.stats();
  const drained = await serving.shutdown({ deadlineMs: 10_000 });
  // How far each stands from the place of its coming.
  const moved = Math.max(...order.map((number, at) => Math.abs(number - at)));
  console.log(JSON.stringify({ most, moved, grown, stats, drained }));
}

/** Connects all, one after the other, and says on each which it is. */
async function load(port: number, count: number): Promise<void> {
  const clients = [];
  const answers = [];
  for (let number = 0; number < count; number++) {
    const client = await create_connection(["127.0.0.1", port]);
    await client.sendall(`${number}`);
    clients.push(client);
    answers.push(client.recv(16));
  }
  const all = await Promise.all(answers);
  const wrong = all.filter((answer, number) => answer.toString() !== `${number}`).length;
  console.log(`answered ${all.length}, wrong ${wrong}`);
}

const [mode, first, second] = process.argv.slice(2);
await (mode === "serve" ? server(Number(first)) : load(Number(first), Number(second)));
