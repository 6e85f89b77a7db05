// What a request fails with that neither the socket layer nor the parsers know: its time was up. It knows no clock.

/**
 * What a request was doing when its time was up: connecting; sending; waiting for the head of the answer; waiting for the
 * next piece of its content; anything at all.
 */
export type RequestPhase = "connect" | "send" | "head" | "body" | "total";

/** The option that limits each phase. */
const OPTION: Readonly<Record<RequestPhase, string>> = {
  connect: "connectTimeoutMs",
  send: "sendTimeoutMs",
  head: "headTimeoutMs",
  body: "bodyTimeoutMs",
  total: "totalTimeoutMs",
};

/** A request took longer than one of its timeouts; its connection was closed. `code` is ERR_HTTP_TIMEOUT. */
export class RequestTimeoutError extends Error {
  static {
    RequestTimeoutError.prototype.name = "RequestTimeoutError";
  }
  readonly code = "ERR_HTTP_TIMEOUT";
  /** What it was doing. */
  readonly phase: RequestPhase;
  /** How long it was let wait. */
  readonly timeoutMs: number;

  /** @param timeoutMs  how long it was let wait. */
  constructor(phase: RequestPhase, timeoutMs: number) {
    super(`the request took longer than ${timeoutMs} ms (${OPTION[phase]})`);
    this.phase = phase;
    this.timeoutMs = timeoutMs;
  }
}
