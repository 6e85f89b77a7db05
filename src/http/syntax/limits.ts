// How much of everything a peer may send, in one place: names, defaults, sources. Who enforces them, parser.ts knows.

/** Limits of one parser. Each is in bytes or a count; Infinity lifts it. */
export interface HttpLimits {
  /** A request line or status line, its CRLF included. Default 8192: RFC 9112 section 3 asks for 8000 at least. */
  readonly startLineBytesMax: number;
  /** All field lines of one head, with the empty line behind them. Default 16384, as Node's --max-http-header-size. */
  readonly headerBytesMax: number;
  /** Field lines of one head, and of one trailer section. Default 100, as Apache's LimitRequestFields. */
  readonly headerCountMax: number;
  /** What follows the size in one chunk's line. Default 1024; signatures of object stores take about 90. */
  readonly chunkExtensionBytesMax: number;
  /** All lines of one trailer section. Default 4096: checksums and timings, nothing else. */
  readonly trailerBytesMax: number;
  /**
   * The content of one message, without its chunks' lines. Default Infinity: the parser keeps none of it, and who reads a
   * stream can stop. Who collects bodies sets it; the server does.
   */
  readonly bodyBytesMax: number;
}

/** The defaults. */
export const HTTP_LIMITS: HttpLimits = Object.freeze({
  startLineBytesMax: 8192,
  headerBytesMax: 16_384,
  headerCountMax: 100,
  chunkExtensionBytesMax: 1024,
  trailerBytesMax: 4096,
  bodyBytesMax: Number.POSITIVE_INFINITY,
});

/** The most digits that a length may have; with more it could not be told exactly (2^53 has 16 of them). */
export const LENGTH_DIGITS_MAX = 15;
/** The same for a chunk's hexadecimal size: 2^52. */
export const CHUNK_SIZE_DIGITS_MAX = 13;

/** The limits that result from what is given over the defaults. */
export function limitsFrom(given: Partial<HttpLimits> | undefined): HttpLimits {
  return given === undefined ? HTTP_LIMITS : { ...HTTP_LIMITS, ...given };
}
