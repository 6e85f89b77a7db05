// A message that is sent in fragments as its parts are made (RFC 6455 section 5.4): for what is too large to be held, or is
// not known yet when it begins. It pulls the parts, and each is on its way before the next one is asked for. In which order
// messages follow each other it does not know.

import { invalidArgument } from "../wire/misuse.ts";
import type { Link } from "./link.ts";
import { CLOSE_INTERNAL_ERROR } from "./syntax/frames.ts";

/** The parts of one message: all text, or all bytes. A web ReadableStream and a Node Readable are some. */
export type MessageParts = Iterable<string | Uint8Array> | AsyncIterable<string | Uint8Array>;

type Parts = Iterator<unknown> | AsyncIterator<unknown>;

const NOTHING: Uint8Array = new Uint8Array(0);
const FIRST_HALF = /[\ud800-\udbff]$/;

/** Whether these are parts; what they give is seen when they give it. */
export function isParts(given: unknown): given is MessageParts {
  if (typeof given !== "object" || given === null) return false;
  return Symbol.asyncIterator in given || Symbol.iterator in given;
}

/** The next part, or the end of the connection, whichever is first. */
function nextOf(link: Link, parts: Parts): Promise<IteratorResult<unknown>> {
  return new Promise((resolve, reject) => {
    const forget = link.onOver(() => reject(link.closedError()));
    const next = async (): Promise<IteratorResult<unknown>> => parts.next();
    next().finally(forget).then(resolve, reject);
  });
}

/**
 * Sends them as one message. Nothing else may be sent meanwhile but control frames.
 *
 * @returns resolves when more may be sent.
 * @throws what the parts throw, and ERR_INVALID_ARG_TYPE for one that is neither text nor bytes, or not as those before:
 *   the connection is closed with 1011, unless nothing was sent yet. What Link.closedError() gives.
 */
export async function sendParts(link: Link, given: MessageParts): Promise<void> {
  const { sender } = link;
  const { writer } = sender;
  const parts: Parts =
    Symbol.asyncIterator in given ? given[Symbol.asyncIterator]() : given[Symbol.iterator]();
  let isText: boolean | undefined;
  /** Half of a character, whose other half begins the next part. */
  let half = "";
  let isDone = false;
  try {
    for (;;) {
      const { value, done } = await nextOf(link, parts);
      if (!link.isOpen) throw link.closedError();
      if (done === true) break;
      if (
        (typeof value !== "string" && !(value instanceof Uint8Array)) ||
        (isText !== undefined && isText !== (typeof value === "string"))
      )
        throw invalidArgument("message", "parts that are all strings or all Uint8Arrays", value);
      isText = typeof value === "string";
      let part = value;
      if (typeof part === "string") {
        part = half + part;
        half = FIRST_HALF.test(part) ? part.slice(-1) : "";
        if (half !== "") part = part.slice(0, -1);
      }
      if (part.length === 0) continue;
      writer.fragment(part, false);
      // A part is its maker's again when it is asked for the next one.
      await sender.written(true);
    }
    isDone = true;
    writer.fragment(isText === true ? half : NOTHING, true);
  } catch (error) {
    if (!isDone) release(parts);
    // What was begun can be neither completed nor taken back.
    if (link.isOpen && writer.side === "message") link.close(CLOSE_INTERNAL_ERROR, "");
    throw error;
  }
  await sender.written(false);
}

/** Nobody asks for more. What they think of that is not waited for. */
function release(parts: Parts): void {
  const end = async (): Promise<void> => void (await parts.return?.());
  end().catch(() => {});
}
