// The limits of files made from sockets, each with its source. A peer decides how long a line is and when it ends; what
// it can make grow here ends at one of these.

/** Bytes of a file's buffer in each direction, unless `buffering` says otherwise. CPython: io.DEFAULT_BUFFER_SIZE. */
export const DEFAULT_BUFFER_SIZE = 8192;

/** The largest `buffering`: what one file may hold back in each direction. Ours; far above any use. */
export const BUFFER_SIZE_MAX: number = 1 << 30;

/**
 * Bytes, or characters of a text file, that a line may have when readline() is given no limit, its end included.
 * CPython has none; 65536 is the limit of asyncio's streams and of its http.client.
 */
export const LINE_LIMIT = 65_536;

/**
 * Bytes, or characters of a text file, that read() and readlines() without a count take. CPython has no limit; this one
 * is ours: what is larger is better taken in pieces.
 */
export const READ_LIMIT: number = 1 << 26;
