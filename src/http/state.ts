// The life of a connection: which side may say what, and what follows when both have said it. RFC 9112 section 9, RFC
// 9110 sections 7.8, 9.3.6 and 15.2. Knows no bytes and no role: client and server keep this same table, one of them of
// what it receives and the other of what it sends. All state changes are here.

/** Where the side stands that sends requests. */
export type RequesterState = "idle" | "body" | "done" | "closed" | "switched";
/** Where the side stands that answers them. */
export type ResponderState = "idle" | "body" | "done" | "closed" | "switched";
/** What a side says. `head` is a request or a final response; a message without content has no `data`. */
export type Step = "informational" | "head" | "data" | "end";

type Moves<State extends string> = Readonly<Record<State, Readonly<Partial<Record<Step, State>>>>>;

/** A pair that is absent is out of order. */
const REQUESTER: Moves<RequesterState> = {
  idle: { head: "body" },
  body: { data: "body", end: "done" },
  done: {},
  closed: {},
  switched: {},
};

/** The same of the other side. It may answer before the request has ended, and not before it has begun. */
const RESPONDER: Moves<ResponderState> = {
  idle: { informational: "idle", head: "body" },
  body: { data: "body", end: "done" },
  done: {},
  closed: {},
  switched: {},
};

/** What a head says about the time after its message. */
export interface Prospects {
  /** The connection may live on. */
  readonly keepAlive: boolean;
  /** Of a request: another protocol is offered. Of a response: it begins. */
  readonly upgrade: boolean;
}

/**
 * One exchange after another on one connection.
 *
 * When both sides are done it begins anew, or is closed: when either side has said that the connection does not live on.
 * When the responder has accepted another protocol, both are switched as soon as both are done.
 */
export class Exchange {
  #requester: RequesterState = "idle";
  #responder: ResponderState = "idle";
  #keepAlive = true;
  #offered = false;
  #accepted = false;

  /** Where the requester stands. */
  get requester(): RequesterState {
    return this.#requester;
  }

  /** Where the responder stands. */
  get responder(): ResponderState {
    return this.#responder;
  }

  /** Whether neither side has said so far that the connection ends behind this exchange. */
  get keepAlive(): boolean {
    return this.#keepAlive;
  }

  /**
   * The requester says something. `prospects`: of a head.
   *
   * @returns whether it may, now; if not, nothing has changed.
   */
  request(step: Step, prospects?: Prospects): boolean {
    const next = REQUESTER[this.#requester][step];
    if (next === undefined) return false;
    this.#requester = next;
    if (prospects !== undefined) {
      this.#offered = prospects.upgrade;
      if (!prospects.keepAlive) this.#keepAlive = false;
    }
    if (next === "done") this.#settle();
    return true;
  }

  /** The responder says something; as request(). */
  respond(step: Step, prospects?: Prospects): boolean {
    if (this.#requester === "idle" || (prospects?.upgrade === true && !this.#offered)) return false;
    const next = RESPONDER[this.#responder][step];
    if (next === undefined) return false;
    this.#responder = next;
    if (prospects !== undefined) {
      this.#accepted = prospects.upgrade;
      if (!prospects.keepAlive) this.#keepAlive = false;
    }
    if (next === "done") this.#settle();
    return true;
  }

  /** Neither side says more, whatever it was about to. */
  close(): void {
    this.#requester = this.#responder = "closed";
    this.#keepAlive = false;
  }

  #settle(): void {
    if (this.#requester !== "done" || this.#responder !== "done") return;
    const next = this.#accepted ? "switched" : this.#keepAlive ? "idle" : "closed";
    this.#requester = this.#responder = next;
    this.#offered = this.#accepted = false;
  }
}
