// A server of idle WebSockets, and the clients that hold them, each in a process of its own. Run by idle.test.ts.
//
//   idle-child serve CLIENTS PING_MS | idle-child hold PORT CLIENTS ROUNDS

import { create_connection } from "berkeley";
import type { Socket } from "berkeley";
import { Topics, serve } from "berkeley/websocket";
import { residentBytes } from "../support/process.ts";
import { CLOSE, PING, PONG, closeFrame, frame } from "./frames.ts";
import { REQUEST } from "./serving.ts";

async function server(connectionsMax: number, pingIntervalMs: number): Promise<void> {
  const topics = new Topics();
  let open = 0;
  const before = residentBytes(process.pid);
  const serving = await serve({
    connectionsMax,
    pingIntervalMs,
    handle: (socket) => {
      topics.subscribe(socket, "all");
      if (++open === connectionsMax) console.log(`held ${residentBytes(process.pid) - before}`);
      return socket.each(() => {});
    },
  });
  console.log(`port ${(serving.localAddress as [string, number])[1]}`);
  await new Promise((resolve) => process.stdin.resume().on("end", resolve));
  const pinged = residentBytes(process.pid) - before;
  const subscribed = topics.count("all");
  const drained = await serving.shutdown({ deadlineMs: 30_000 });
  console.log(
    JSON.stringify({ pinged, subscribed, left: topics.count("all"), drained, stats: serving.stats() }),
  );
}

/** One client; says that it was pinged and how it was closed. */
async function hold(socket: Socket, pinged: () => void): Promise<number> {
  await socket.sendall(`${REQUEST}\r\n`);
  let bytes = Buffer.alloc(0);
  const more = async (): Promise<void> => {
    const received = await socket.recv(4096);
    if (received.length === 0) throw new Error("the server ended without a Close");
    bytes = Buffer.concat([bytes, received]);
  };
  while (!bytes.includes("\r\n\r\n")) await more();
  bytes = bytes.subarray(bytes.indexOf("\r\n\r\n") + 4);
  for (;;) {
    while (bytes.length < 2 || bytes.length < 2 + (bytes[1] as number)) await more();
    const opcode = (bytes[0] as number) & 0x0f;
    const payload = bytes.subarray(2, 2 + (bytes[1] as number));
    bytes = bytes.subarray(2 + payload.length);
    if (opcode === PING) {
      pinged();
      await socket.sendall(frame({ opcode: PONG, payload }));
    } else if (opcode === CLOSE) {
      await socket.sendall(closeFrame(1000));
      socket.close();
      return payload.readUInt16BE(0);
    } else throw new Error(`opcode ${opcode}`);
  }
}

/** Opens all, and waits until each was pinged so many times, and until all are closed. */
async function clients(port: number, count: number, rounds: number): Promise<void> {
  const pings = new Uint32Array(count);
  let enough = 0;
  const began = performance.now();
  const holding: Promise<number>[] = [];
  for (let client = 0; client < count; client++) {
    const socket = await create_connection(["127.0.0.1", port]);
    holding.push(
      hold(socket, () => {
        const mine = (pings[client] as number) + 1;
        pings[client] = mine;
        if (mine === rounds && ++enough === count)
          console.log(`pinged ${Math.max(...pings)} in ${Math.ceil(performance.now() - began)} ms`);
      }),
    );
  }
  const codes = await Promise.all(holding);
  console.log(`closed ${codes.filter((code) => code === 1001).length}`);
}

const [mode, ...numbers] = process.argv.slice(2);
const [first = 0, second = 0, third = 0] = numbers.map(Number);
await (mode === "serve" ? server(first, second) : clients(first, second, third));
