// The one interface over every reliable stream of bytes: TCP, Unix, TLS, memory, a Node Duplex. Protocol drivers take
// nothing else. Contracts only; checkByteStream (berkeley/testing) holds an implementation to them.

import type { AnyAddress, Data, WaitOptions } from "../index.ts";

/** What every waiting call of a stream takes last: `signal` ends the wait with the signal's reason. */
export type StreamOptions = WaitOptions;

/**
 * A reliable, ordered, two-way stream of bytes.
 *
 * Reads settle in the order in which they were asked, and so do writes; reads and writes do not wait for each other. A
 * read that is aborted or timed out loses no byte: it is there for the next one. After a write that failed half-way
 * nobody knows what the peer has: close the stream.
 */
export interface ByteStream extends AsyncDisposable {
  /**
   * Receives what is there, waiting for the first of it.
   *
   * @param bytesMax  at most so many bytes, 1 or more; default: as many as come in one go (at most 256 KiB).
   * @returns bytes that nobody else writes to; empty: the peer has ended, and will every time from now on.
   * @throws {SocketError} or another coded error: the stream broke. ECANCELED: closed meanwhile; EBADF: closed before.
   */
  receiveSome(bytesMax?: number, options?: StreamOptions): Promise<Buffer>;

  /**
   * Sends all of it. Leave the memory alone until the promise settles.
   *
   * @throws {SocketError} EPIPE: this side or the peer has ended; ECONNRESET …; ECANCELED, EBADF as above.
   */
  sendAll(data: Data, options?: StreamOptions): Promise<void>;

  /** Ends this side's sending, behind what is being sent; receiving goes on. Again: does nothing. */
  closeWrite(options?: StreamOptions): Promise<void>;

  /**
   * Closes both directions at once. What waits fails with ECANCELED, every call after it with EBADF. What sendAll has
   * sent still arrives. Again: does nothing.
   */
  close(): void;

  /** Whether close() was called. */
  readonly closed: boolean;

  /** This side's address; undefined where there is none to tell. */
  readonly localAddress: AnyAddress | undefined;
  /** The peer's address. */
  readonly remoteAddress: AnyAddress | undefined;

  /** As close(). */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Where streams come from: nothing is accepted that was not asked for. */
export interface StreamListener extends AsyncDisposable {
  /**
   * Pulls one connection, waiting for it.
   *
   * @throws {SocketError} as Socket.accept(); ECANCELED: closed meanwhile; EBADF: closed before.
   */
  accept(options?: StreamOptions): Promise<ByteStream>;

  /** Closes it. What waits fails with ECANCELED. Again: does nothing. */
  close(): void;

  /** Whether close() was called. */
  readonly closed: boolean;

  /** Where it listens. */
  readonly localAddress: AnyAddress | undefined;

  /** As close(). */
  [Symbol.asyncDispose](): Promise<void>;
}
