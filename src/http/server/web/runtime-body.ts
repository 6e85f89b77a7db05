// What the runtime's own Response was made of, where that can be seen: Node up to 22 keeps it beside the stream. Reading
// the stream instead gives the same bytes, later and in pieces. It knows one private corner of the runtime, and gives up as
// soon as anything there looks different.

import { RuntimeResponse } from "./runtime.ts";

const STATE: symbol | undefined = Object.getOwnPropertySymbols(new RuntimeResponse("")).find(
  ({ description }) => description === "state",
);

/** What is looked for there. */
interface State {
  readonly body?: { readonly source?: unknown; readonly stream?: unknown; readonly length?: unknown };
}

/**
 * The content of a Response of the runtime's if that is a text or bytes, and nobody has begun to read it. It is used then.
 *
 * @returns undefined: its stream must be read.
 */
export function takeSource(response: Response, stream: ReadableStream): string | Uint8Array | undefined {
  if (STATE === undefined || response.bodyUsed || stream.locked) return undefined;
  const { source, stream: beside, length } = (Reflect.get(response, STATE) as State | undefined)?.body ?? {};
  if (beside !== stream) return undefined;
  const isText = typeof source === "string" && length === Buffer.byteLength(source);
  if (!isText && !(source instanceof Uint8Array && length === source.byteLength)) return undefined;
  void stream.cancel();
  return source;
}
