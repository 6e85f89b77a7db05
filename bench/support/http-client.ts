// A server of HTTP for clients that are measured, and how many answers they got meanwhile. The client counts. Knows
// native/epoll_server.c; not what is asked.
import { setTimeout as sleep } from "node:timers/promises";
import { BACKLOG } from "../servers/control.ts";
import { portOf, processorSeconds } from "./datagrams.ts";
import { nativeProgram } from "./native.ts";
import { LOAD_CORE, Program } from "./program.ts";
import type { Conditions, Sample } from "./question.ts";
import type { Server } from "./server.ts";

const PAUSE_MS = 20;
const TRIES_MAX = 500;

/** Let the client ask one that answers at once, which takes a fraction of a core. */
export async function askedBy(client: Server, { seconds, warmup }: Conditions): Promise<Sample> {
  await using server = new Program([nativeProgram("epoll_server"), "http", String(BACKLOG)], LOAD_CORE);
  await client.target(await portOf(server));
  // A runtime that has just started may take a while to its first.
  for (let tries = 0; (await client.count()).datagrams === 0; tries++) {
    if (tries === TRIES_MAX) throw new Error("no answer arrived");
    await sleep(PAUSE_MS);
  }
  await sleep(warmup * 1e3);
  const [before, cpuBefore] = [await client.count(), await processorSeconds(client.pid)];
  const busyBefore = await processorSeconds(server.pid);
  await sleep(seconds * 1e3);
  const [after, cpuAfter] = [await client.count(), await processorSeconds(client.pid)];
  const busyAfter = await processorSeconds(server.pid);
  const answers = after.datagrams - before.datagrams;
  const elapsed = (after.ms - before.ms) / 1e3;
  return {
    perSecond: answers / elapsed,
    processorUs: ((cpuAfter - cpuBefore) / answers) * 1e6,
    loadBusyPercent: ((busyAfter - busyBefore) / elapsed) * 100,
  };
}
