// wrk as the generator: requests of HTTP over many connections, against a server. Knows its command line, what
// wrk/report.lua prints, and where Linux keeps processor times.
import { readFile } from "node:fs/promises";
import { inProject } from "./paths.ts";
import { LOAD_CORE, Program } from "./program.ts";
import type { Server } from "./server.ts";

/** What wrk is to ask for. */
export interface WrkOptions {
  readonly path: string;
  readonly connections: number;
  /** The script in wrk/ that makes the requests. */
  readonly script: "report" | "upload";
  readonly seconds: number;
  /** Seconds of the same load before that, unmeasured. */
  readonly warmup: number;
}

/** What it saw while it measured. */
export interface WrkResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Us: number;
  readonly p99Us: number;
  /** Processor time of the server and of wrk. */
  readonly serverSeconds: number;
  readonly loadSeconds: number;
}

interface Report extends Omit<WrkResult, "serverSeconds" | "loadSeconds"> {
  readonly errors: number;
}

/** Put a load on the server and measure. One error fails it. */
export async function runWrk(server: Server, options: WrkOptions): Promise<WrkResult> {
  if (options.warmup > 0) await runOnce(server, options, options.warmup);
  const [serverBefore, childrenBefore] = [await ownSeconds(server.pid), await childrenSeconds()];
  const { errors: _, ...report } = await runOnce(server, options, options.seconds);
  return {
    ...report,
    serverSeconds: (await ownSeconds(server.pid)) - serverBefore,
    loadSeconds: (await childrenSeconds()) - childrenBefore,
  };
}

async function runOnce(server: Server, options: WrkOptions, seconds: number): Promise<Report> {
  const { path, connections, script } = options;
  // wrk counts whole seconds.
  const flags = ["-t1", `-c${connections}`, `-d${Math.max(1, Math.round(seconds))}s`];
  const url = `http://127.0.0.1:${server.port}${path}`;
  const environment = ["env", `BENCH_REPORT=${inProject("bench/wrk/report.lua")}`];
  const command = [...environment, "wrk", ...flags, "-s", inProject(`bench/wrk/${script}.lua`), url];
  await using wrk = new Program(command, LOAD_CORE);
  let line = "";
  while (!line.startsWith("{")) line = await wrk.nextLine();
  await wrk.finish();
  const report: Report = JSON.parse(line);
  if (report.errors > 0 || report.requests === 0)
    throw new Error(`${report.errors} errors in ${report.requests} requests`);
  return report;
}

const TICKS_PER_SECOND = 100; // USER_HZ, the unit of /proc: 100 on every architecture Node runs on.

async function ticks(pid: number | "self", first: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  // proc(5): fields behind the name begin with the third.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[first - 3]) + Number(fields[first - 2])) / TICKS_PER_SECOND;
}

/** utime and stime. */
const ownSeconds = (pid: number): Promise<number> => ticks(pid, 14);
/** cutime and cstime: of the harness's children that have ended. */
const childrenSeconds = (): Promise<number> => ticks("self", 16);
