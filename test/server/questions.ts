// A conversation whose every byte is known: a client asks in frames, a server answers each byte with the next one. Both
// tell whether all came, however the way between them fails.

import assert from "node:assert/strict";
import { BufferedReader, frames } from "berkeley/stream";
import type { ByteStream } from "berkeley/stream";
import { lengthPrefixed } from "berkeley/wire";
import { pattern } from "../support/pair.ts";

/** Clients that can ask at once, each with bytes of its own. */
export const CLIENTS = 6;
const QUESTIONS_MAX = 12;
const QUESTION_BYTES_MAX = 30_000;

const FRAMING = lengthPrefixed({ frameBytesMax: QUESTION_BYTES_MAX });
/** A client's questions. The answer has each byte plus one, and so is the next client's question. */
const questions = Array.from({ length: CLIENTS + 1 }, (_, key) => pattern(QUESTION_BYTES_MAX, key));

/** The peer ended between two frames, where more were to come. */
class Cut extends Error {
  readonly code = "ERR_CUT";
}

/** What a connection may fail with that was done harm. */
const FAULTS: ReadonlySet<unknown> = new Set([
  "ECONNRESET",
  "EPIPE",
  "ECANCELED",
  "ECONNREFUSED",
  "ETIMEDOUT",
  "ENETDOWN",
  "ENOTCONN",
  "ERR_CUT",
  "ERR_UNEXPECTED_EOF",
  "ERR_IDLE_TIMEOUT",
  "ERR_SERVER_STOPPED",
]);

/** Throws the error unless it is one that harm brings about; everything else is a bug. */
export function assertFault(error: unknown): void {
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
  if (name !== "AbortError" && name !== "TimeoutError" && !FAULTS.has(code)) throw error;
}

/** Where a client's choices come from. */
export interface Choices {
  below(limit: number): number;
}

/** Answers each frame, each byte plus one, until the peer ends. */
export async function answer(stream: ByteStream): Promise<void> {
  for await (const question of frames(stream, FRAMING.decoder())) {
    for (let at = 0; at < question.length; at++) question[at] = ((question[at] as number) + 1) & 255;
    await stream.sendAll(FRAMING.encode(question));
  }
}

/** The answers as the framing takes them apart, or as one reads them by hand. */
async function* answers(
  stream: ByteStream,
  byHand: boolean,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  if (!byHand) return yield* frames(stream, FRAMING.decoder(), { signal });
  const reader = new BufferedReader(stream);
  while ((await reader.peek(1, { signal })).length > 0) {
    const length = (await reader.readExactly(4, { signal })).readUInt32BE();
    yield await reader.readExactly(length, { signal });
  }
}

/** Asks and checks every answer; resolves when all came and the server has ended. */
export async function ask(
  stream: ByteStream,
  key: number,
  random: Choices,
  signal?: AbortSignal,
): Promise<void> {
  const count = 1 + random.below(QUESTIONS_MAX);
  const sizes = Array.from({ length: count }, () => random.below(QUESTION_BYTES_MAX));
  const byHand = random.below(2) === 0;
  const [question, expected] = [questions[key], questions[key + 1]] as [Buffer, Buffer];
  const sending = (async (): Promise<void> => {
    for (const size of sizes) await stream.sendAll(FRAMING.encode(question.subarray(0, size)), { signal });
    await stream.closeWrite({ signal });
  })();
  const receiving = (async (): Promise<void> => {
    let came = 0;
    for await (const frame of answers(stream, byHand, signal)) {
      const size = sizes[came++];
      assert.ok(size !== undefined, "more answers than questions");
      assert.ok(expected.subarray(0, size).equals(frame), `answer ${came} is not what was asked`);
    }
    if (came < count) throw new Cut(`${came} of ${count} answers came`);
  })();
  for (const result of await Promise.allSettled([sending, receiving]))
    if (result.status === "rejected") throw result.reason as Error;
}
