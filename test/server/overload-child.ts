// A server under load, and the clients that load it, each in a process of its own. Run by overload.test.ts.
//
//   overload-child serve CONNECTIONS_MAX CLIENTS | overload-child load PORT CLIENTS NAME

import { create_connection } from "berkeley";
import { serve } from "berkeley/server";
import { listenTcp } from "berkeley/stream";
import { residentBytes } from "../support/process.ts";
import { gate } from "./support.ts";

/** A handler's work: it takes a while, and no processor time. */
const WORK_MS = 50;

async function server(connectionsMax: number, clients: number): Promise<void> {
  let [running, most, served] = [0, 0, 0];
  /** Of each loading process, which of its clients came to a handler. */
  const orders = new Map<string, number[]>();
  let early = 0;
  const full = gate();
  const listener = await listenTcp("127.0.0.1");
  const serving = serve(
    listener,
    async (stream) => {
      most = Math.max(most, ++running);
      if (running === connectionsMax) full.open();
      const word = (await stream.receiveSome()).toString();
      const [name = "", number] = word.split(" ");
      const order = orders.get(name) ?? [];
      orders.set(name, order);
      order.push(Number(number));
      await full.opened;
      await new Promise((resolve) => setTimeout(resolve, WORK_MS));
      await stream.sendAll(word);
      running--;
      // By then the heap has grown to what the work needs.
      if (++served === clients / 4) early = residentBytes(process.pid);
    },
    { connectionsMax },
  );
  console.log(`port ${(listener.localAddress as [string, number])[1]}`);
  await new Promise((resolve) => process.stdin.resume().on("end", resolve));
  const grown = residentBytes(process.pid) - early;
  const stats = serving.stats();
  const drained = await serving.shutdown({ deadlineMs: 10_000 });
  // How far each stands from the place of its coming.
  let moved = 0;
  for (const order of orders.values())
    for (const [at, number] of order.entries()) moved = Math.max(moved, Math.abs(number - at));
  console.log(JSON.stringify({ most, moved, grown, stats, drained }));
}

/** Connects all, one after the other, and says on each which it is. */
async function load(port: number, count: number, name: string): Promise<void> {
  const clients = [];
  const answers = [];
  for (let number = 0; number < count; number++) {
    const client = await create_connection(["127.0.0.1", port]);
    await client.sendall(`${name} ${number}`);
    clients.push(client);
    answers.push(client.recv(16));
  }
  const all = await Promise.all(answers);
  const wrong = all.filter((answer, number) => answer.toString() !== `${name} ${number}`).length;
  console.log(`answered ${all.length}, wrong ${wrong}`);
}

const [mode, first, second, name = ""] = process.argv.slice(2);
await (mode === "serve" ? server(Number(first), Number(second)) : load(Number(first), Number(second), name));
