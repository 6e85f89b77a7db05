// What `npm start` shows in a checkout: the echo service, a first conversation with it, and how to have the next one. It
// builds nothing (scripts/start.mjs does) and is no subcommand.

import { SHUT_WR } from "../index.ts";
import { ECHO_URL_DEFAULT } from "./echo.ts";
import { serveEcho } from "./echo-server.ts";
import { checkSocket, formatEndpoint, isDatagram, parseEndpoint } from "./endpoint.ts";
import type { SocketEndpoint } from "./endpoint.ts";
import { describeFailure, EXIT } from "./failure.ts";
import { connectTo } from "./open.ts";
import { renderBytes } from "./render.ts";
import { note, Output } from "./stdio.ts";
import { stopOnSignals } from "./stop.ts";

const FIRST_WORDS = ["Hello, Berkeley!", "And goodbye."];
/** More than the longest of the words. */
const READ_BYTES = 1024;

/** What startHere takes. */
export interface StartOptions {
  /** Where the server listens. Default tcp://127.0.0.1:8888. */
  readonly url?: string | undefined;
  /** End after the first conversation. */
  readonly once: boolean;
}

/** Serves, talks, and serves on; resolves with the exit status. */
export async function startHere({ url = ECHO_URL_DEFAULT, once }: StartOptions): Promise<number> {
  const output = new Output();
  const print = (line: string): Promise<void> => output.write(`${line}\n`);
  using stop = stopOnSignals();
  const enough = new AbortController();
  let talk: Promise<void> | undefined;
  try {
    const here = checkSocket(parseEndpoint(url), "npm start");
    await serveEcho([here], {
      print: (line) => print(`  server  ${line}`),
      signal: AbortSignal.any([stop.signal, enough.signal]),
      listening: ([endpoint]) => {
        const there = endpoint as SocketEndpoint;
        talk = firstConversation(there, print).then(() => (once ? enough.abort() : invite(there, print)));
        talk.catch(() => enough.abort());
      },
    });
    await talk;
    return EXIT.OK;
  } catch (error) {
    const { message, exitCode } = describeFailure(error);
    if (message !== "") note(message);
    return exitCode;
  }
}

async function firstConversation(
  endpoint: SocketEndpoint,
  print: (line: string) => Promise<void>,
): Promise<void> {
  const { socket: conn, close } = await connectTo(endpoint);
  try {
    for (const words of FIRST_WORDS) {
      await print(`  client  sends: ${words}`);
      await conn.sendall(words);
      let answer = Buffer.alloc(0);
      while (answer.length < Buffer.byteLength(words)) {
        const data = await conn.recv(READ_BYTES);
        if (data.length === 0) throw new Error("the echo server ended before it had answered");
        answer = Buffer.concat([answer, data]);
      }
      await print(`  client  hears: ${renderBytes(answer)}`);
    }
    if (isDatagram(endpoint)) return;
    conn.shutdown(SHUT_WR);
    await conn.recv(READ_BYTES);
  } finally {
    close();
  }
}

async function invite(endpoint: SocketEndpoint, print: (line: string) => Promise<void>): Promise<void> {
  const nc =
    endpoint.kind === "tcp"
      ? `  nc ${endpoint.host === "" ? "localhost" : endpoint.host} ${endpoint.port}\n`
      : "";
  await print(
    `\nNow you. In another terminal, any of these; Ctrl-C here ends the server.\n\n` +
      `  node dist/cli/main.js connect ${formatEndpoint(endpoint)}\n${nc}`,
  );
}
