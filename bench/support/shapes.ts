// The shapes that several questions share: echo, one-way stream, datagrams, event-loop delay.
import { runWrk } from "./wrk.ts";
import { CHUNK_BYTES } from "../servers/control.ts";
import { drain, flood } from "./datagrams.ts";
import { runLoad } from "./load.ts";
import { type Contestant, everyone, everyoneTwoWays, loadBusyColumn, type Question } from "./question.ts";

interface Messages {
  readonly name: string;
  readonly connections: number;
  readonly bytes: number;
}

const GIB = 2 ** 30;

function described({ connections, bytes }: Messages): string {
  const size = bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`;
  return `${connections} ${connections === 1 ? "connection" : "connections"} × ${size}`;
}

/** An echo as Node's Duplex, and without. */
export const adapted: readonly Contestant[] = [
  { label: "Berkeley toDuplex", peer: "berkeley", job: "echo-duplex" },
  { label: "Berkeley stream", peer: "berkeley", job: "echo-stream" },
  { label: "node:net", peer: "node-net", job: "echo" },
];

/** A job under TLS. An echo also over a stream whose descriptor TLS cannot take. */
export function underTls(job: "tls-echo" | "tls-receive" | "tls-send"): readonly Contestant[] {
  const wrapped: readonly Contestant[] =
    job === "tls-echo" ? [{ label: "Berkeley, wrapped", peer: "berkeley", job: "tls-echo-wrapped" }] : [];
  // How often V8 collects depends on how large the heap was when the first bytes came.
  const loaded: readonly Contestant[] =
    job === "tls-receive"
      ? [{ label: "node:tls, Berkeley loaded", peer: "node-net", job: "tls-receive-loaded" }]
      : [];
  return [
    { label: "Berkeley", peer: "berkeley", job },
    ...wrapped,
    { label: "node:tls", peer: "node-net", job },
    ...loaded,
  ];
}

/** Messages echoed per second: each connection has one message under way. */
export function echoQuestion(
  messages: Messages,
  title = "Echo",
  contestants: readonly Contestant[] = everyoneTwoWays("echo"),
): Question {
  return {
    name: messages.name,
    title: `${title}, ${described(messages)}`,
    columns: [
      { key: "perSecond", title: "messages/s", better: "more" },
      { key: "processorUs", title: "CPU µs/message", better: "less" },
      { key: "p50Us", title: "p50 µs", better: "less" },
      { key: "p99Us", title: "p99 µs", better: "less" },
      loadBusyColumn,
    ],
    contestants,
    async measure(server, conditions) {
      const { connections, bytes } = messages;
      const result = await runLoad(server, { mode: "pingpong", connections, bytes, ...conditions });
      return {
        perSecond: result.count / result.seconds,
        processorUs: (result.serverSeconds / result.count) * 1e6,
        p50Us: result.latencyUs.p50,
        p99Us: result.latencyUs.p99,
        loadBusyPercent: (result.loadSeconds / result.seconds) * 100,
      };
    },
  };
}

/** Bytes per second over one connection in one direction, seen from the server. */
export function streamQuestion(
  name: string,
  direction: "receive" | "send",
  title = "One-way stream",
  contestants: readonly Contestant[] = direction === "receive"
    ? everyoneTwoWays("receive")
    : everyone("send"),
): Question {
  return {
    name,
    title: `${title}, the server ${direction}s`,
    columns: [
      { key: "gibPerSecond", title: "GiB/s", better: "more" },
      { key: "processorMsPerGib", title: "CPU ms/GiB", better: "less" },
      loadBusyColumn,
    ],
    contestants,
    async measure(server, conditions) {
      const mode = direction === "receive" ? "send" : "receive";
      const result = await runLoad(server, { mode, connections: 1, bytes: CHUNK_BYTES, ...conditions });
      const gib = result.bytes / GIB;
      return {
        gibPerSecond: gib / result.seconds,
        processorMsPerGib: (result.serverSeconds / gib) * 1e3,
        loadBusyPercent: (result.loadSeconds / result.seconds) * 100,
      };
    },
  };
}

/** Datagrams a second that a server takes of more than it can, or sends to one who takes them all. */
export function datagramQuestion(
  name: string,
  title: string,
  direction: "receive" | "send",
  contestants: readonly Contestant[],
): Question {
  return {
    name,
    title,
    columns: [
      { key: "perSecond", title: "datagrams/s", better: "more" },
      { key: "processorUs", title: "CPU µs/datagram", better: "less" },
      direction === "receive"
        ? { key: "otherEndPerSecond", title: "offered/s", better: "more" }
        : { key: "otherEndPerSecond", title: "arrived/s", better: "more" },
    ],
    contestants,
    async measure(server, conditions) {
      return { ...(await (direction === "receive" ? flood : drain)(server, conditions)) };
    },
  };
}

// The load outlasts the watch on both sides, so that only loaded time is watched.
const MARGIN_SECONDS = 0.5;

/**
 * How late a timer of the server's own fires while it echoes. Node's monitorEventLoopDelay is the gauge;
 * Bun's and Deno's functions of that name measure something else, so they are not asked.
 */
export function delayQuestion(messages: Messages): Question {
  return {
    name: messages.name,
    title: `Event-loop delay of other work during echo, ${described(messages)}`,
    columns: [
      { key: "p99Ms", title: "p99 ms", better: "less" },
      { key: "p50Ms", title: "p50 ms", better: "less" },
      { key: "maxMs", title: "max ms", better: "less" },
      { key: "perSecond", title: "messages/s", better: "more" },
    ],
    contestants: everyoneTwoWays("echo").filter(({ peer }) => peer === "berkeley" || peer === "node-net"),
    async measure(server, conditions) {
      const { connections, bytes } = messages;
      let delay: Promise<Record<string, number>> | undefined;
      const result = await runLoad(server, {
        mode: "pingpong",
        connections,
        bytes,
        warmup: conditions.warmup,
        seconds: conditions.seconds + MARGIN_SECONDS,
        onBegin: () => {
          delay = server.eventLoopDelay(conditions.seconds);
          delay.catch(() => {}); // Awaited below, after the load.
        },
      });
      return { ...(await delay), perSecond: result.count / result.seconds };
    },
  };
}

const httpContestants: readonly Contestant[] = [
  { label: "Berkeley handle", peer: "berkeley", job: "http" },
  { label: "Berkeley fetch, light globals", peer: "berkeley", job: "http-fetch-light" },
  { label: "Berkeley fetch", peer: "berkeley", job: "http-fetch" },
  { label: "node:http", peer: "node-net", job: "http" },
  { label: "Bun.serve", peer: "bun", job: "http" },
  { label: "Deno.serve", peer: "deno", job: "http" },
];

/** Requests of HTTP per second, from wrk. */
export function httpQuestion(
  name: string,
  title: string,
  path: string,
  script: "report" | "upload",
  contestants: readonly Contestant[] = httpContestants,
): Question {
  const connections = path === "/" ? 64 : 16;
  return {
    name,
    title,
    columns: [
      { key: "perSecond", title: "requests/s", better: "more" },
      { key: "processorUs", title: "CPU µs/request", better: "less" },
      { key: "p50Us", title: "p50 µs", better: "less" },
      { key: "p99Us", title: "p99 µs", better: "less" },
      loadBusyColumn,
    ],
    contestants,
    async measure(server, conditions) {
      const result = await runWrk(server, { path, script, connections, ...conditions });
      return {
        perSecond: result.requests / result.seconds,
        processorUs: (result.serverSeconds / result.requests) * 1e6,
        p50Us: result.p50Us,
        p99Us: result.p99Us,
        loadBusyPercent: (result.loadSeconds / result.seconds) * 100,
      };
    },
  };
}
