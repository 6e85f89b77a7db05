// A ByteStream as web streams: a readable stream of bytes, into memory of the reader's own if it likes (BYOB), and a
// writable one. It closes the stream beneath when both directions are over.

import { ReadableStream, WritableStream } from "node:stream/web";
import type { ReadableByteStreamController } from "node:stream/web";
import type { Data } from "../../index.ts";
import { invalidArgument } from "../../socket/errors.ts";
import type { ByteStream } from "../byte-stream.ts";
import type { WebStreams } from "./from.ts";

/** Bytes asked of the stream at a time. */
const RECEIVE_BYTES = 65_536;

/** Memory that can be given away: nobody else has a view of it. */
function ownMemory(bytes: Buffer): Uint8Array {
  return bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);
}

/**
 * Makes web streams of a stream, which belongs to them from now on.
 *
 * `readable` is a byte stream without a queue of its own: nothing is received before it is asked for. Its end is the
 * peer's end. `writable` takes Uint8Arrays, other views, ArrayBuffers and strings (as UTF-8); close() ends this side's
 * sending. abort() closes the stream at once, and fails the readable one with the reason. When both directions are over,
 * by their end, cancel(), close() or an error, the stream is closed.
 *
 * @throws {TypeError} ERR_INVALID_ARG_TYPE: no stream.
 * @see https://streams.spec.whatwg.org/#readable-byte-stream-controller-class
 */
export function toWeb(stream: ByteStream): WebStreams {
  if (typeof stream?.receiveSome !== "function") throw invalidArgument("stream", "a ByteStream", stream);
  const open = new Set(["readable", "writable"]);
  const over = (direction: string): void => {
    open.delete(direction);
    if (open.size === 0) stream.close();
  };
  let controller!: ReadableByteStreamController;
  const readable = new ReadableStream({
    type: "bytes",
    start(given) {
      controller = given;
    },
    async pull({ byobRequest }) {
      const view = byobRequest?.view as Uint8Array | null | undefined;
      let bytes: Buffer;
      try {
        bytes = await stream.receiveSome(view?.byteLength ?? RECEIVE_BYTES);
      } catch (error) {
        over("readable");
        throw error;
      }
      if (bytes.length === 0) {
        over("readable");
        controller.close();
        byobRequest?.respond(0);
      } else if (view === undefined || view === null) controller.enqueue(ownMemory(bytes));
      else {
        new Uint8Array(view.buffer, view.byteOffset, view.byteLength).set(bytes);
        (byobRequest as { respond(count: number): void }).respond(bytes.length);
      }
    },
    cancel: () => over("readable"),
  });
  const writable = new WritableStream<Data>({
    async write(chunk, sink) {
      const { signal } = sink as unknown as { readonly signal: AbortSignal };
      try {
        // abort() waits for the write that is under way: its signal ends that.
        await stream.sendAll(chunk, { signal });
      } catch (error) {
        over("writable");
        throw error;
      }
    },
    async close() {
      try {
        await stream.closeWrite();
      } finally {
        over("writable");
      }
    },
    abort(reason) {
      if (open.has("readable")) controller.error(reason);
      open.clear();
      stream.close();
    },
  });
  return { readable, writable };
}
