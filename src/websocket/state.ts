// What one side of a WebSocket may say, and when: RFC 6455 sections 5.4 (fragmentation) and 5.5 (control frames). Knows no
// bytes and no role: both sides keep this same table, of what they send and of what they receive. All state changes are here.

/** Where a side stands: between messages, inside of one, or behind its Close. */
export type SideState = "open" | "message" | "closed";

/** A frame, by its meaning: a whole message; the first, a middle or the last fragment of one; a ping or pong; a Close. */
export type Step = "whole" | "first" | "middle" | "last" | "control" | "close";

/** A pair that is absent is out of order. */
const MOVES: Readonly<Record<SideState, Readonly<Partial<Record<Step, SideState>>>>> = {
  open: { whole: "open", first: "message", control: "open", close: "closed" },
  message: { middle: "message", last: "open", control: "message", close: "closed" },
  closed: {},
};

/** Where a side stands after a step; undefined: it may not say that now. */
export function afterStep(state: SideState, step: Step): SideState | undefined {
  return MOVES[state][step];
}

/** Where both sides together stand (RFC 6455 section 7.1). */
export type Phase = "open" | "closing" | "closed";

/** A connection is closing when one side has sent its Close, and closed when both have. */
export function phaseOf(one: SideState, other: SideState): Phase {
  const closes = (one === "closed" ? 1 : 0) + (other === "closed" ? 1 : 0);
  return closes === 0 ? "open" : closes === 1 ? "closing" : "closed";
}
