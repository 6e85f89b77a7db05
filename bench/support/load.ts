// The load generator, running against a server. Knows its command line and its result line.
import { nativeProgram } from "./native.ts";
import { LOAD_CORE, Program } from "./program.ts";
import type { Server } from "./server.ts";

/** What the generator is to do; see bench/native/load.c. */
export interface LoadOptions {
  readonly mode: "pingpong" | "send" | "receive" | "connect" | "ws-pingpong" | "ws-broadcast";
  /** Connections at the same time. */
  readonly connections: number;
  /** Bytes of one message, one write or one read. */
  readonly bytes: number;
  readonly seconds: number;
  /** Seconds of the same load before that, unmeasured. */
  readonly warmup: number;
  /** Called when the warm-up is over. */
  readonly onBegin?: () => void;
}

/** What the generator saw while it measured. */
export interface LoadResult {
  readonly seconds: number;
  /** Messages, or connections, completed. */
  readonly count: number;
  /** Bytes moved, for send and receive. */
  readonly bytes: number;
  /** Processor time of the server and of the generator. */
  readonly serverSeconds: number;
  readonly loadSeconds: number;
  /** Of a message there and back, or of a connection from first to last; microseconds. */
  readonly latencyUs: {
    readonly p50: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
  };
}

/** Put a load on the server and measure. */
export async function runLoad(server: Server, options: LoadOptions): Promise<LoadResult> {
  await using load = startLoad(server, options.mode, options.connections, [
    ["bytes", options.bytes],
    ["seconds", options.seconds],
    ["warmup", options.warmup],
  ]);
  await expectLine(load, "ready");
  await expectLine(load, "begin");
  options.onBegin?.();
  const result: LoadResult = JSON.parse(await load.nextLine());
  await load.finish();
  return result;
}

/** Open connections on which nothing happens, run `meanwhile`, close them. */
export async function withIdle<Result>(
  server: Server,
  connections: number,
  meanwhile: () => Promise<Result>,
  mode: "idle" | "ws-idle" = "idle",
): Promise<Result> {
  await using load = startLoad(server, mode, connections, []);
  await expectLine(load, "ready");
  const result = await meanwhile();
  await load.finish();
  return result;
}

function startLoad(server: Server, mode: string, connections: number, more: [string, number][]): Program {
  const numbers: [string, number][] = [
    ["port", server.port],
    ["server-pid", server.pid],
    ["connections", connections],
    ...more,
  ];
  const options = numbers.flatMap(([name, value]) => [`--${name}`, String(value)]);
  const tls = server.tls ? ["--tls"] : [];
  return new Program([nativeProgram("load"), "--mode", mode, ...tls, ...options], LOAD_CORE);
}

async function expectLine(load: Program, expected: string): Promise<void> {
  const line = await load.nextLine();
  if (line !== expected) throw new Error(`the generator said "${line}", not "${expected}"`);
}
