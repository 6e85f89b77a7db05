// The two faces of a socket. `berkeley` gives promises; `berkeley/sync` blocks the thread and gives the values. A method
// is written once: its checks and its attempts are the same, and only the waiting differs, which each face brings along
// (the abstract methods of SocketBase). This file has the types of that, and the form in which a method with several
// waits is written. It knows no socket.

/** Which face: promises, or plain values after blocking the thread. */
export type Face = "async" | "sync";

/** What a call that may wait gives, by face. */
interface Outcomes<T> {
  readonly async: Promise<T>;
  readonly sync: T;
}

/** `Promise<T>` in `berkeley`, `T` in `berkeley/sync`. */
export type Outcome<F extends Face, T> = Outcomes<T>[F];

/** What every waiting call takes last. */
export interface WaitOptions {
  /** Ends the wait: the promise rejects with the signal's reason, and nothing that arrived is lost. */
  signal?: AbortSignal | undefined;
}

/** What the waiting calls of `berkeley/sync` take in its place. */
export interface NoSignal {
  /** Absent: no signal can fire while its own thread is blocked. Use settimeout(). */
  signal?: undefined;
}

interface OptionsByFace<O extends WaitOptions> {
  readonly async: O;
  readonly sync: Omit<O, "signal"> & NoSignal;
}

/** The options `O` of a waiting call, by face: there is no signal where the thread is blocked. */
export type FaceOptions<F extends Face, O extends WaitOptions = WaitOptions> = OptionsByFace<O>[F];

/**
 * A method that waits more than once, as steps: it yields each outcome it waits for and goes on with its value. The
 * face's `run` drives it.
 */
export type Steps<T> = Generator<unknown, T, unknown>;

/** Waits for one outcome inside of steps: `const found = yield* step(this.resolve(address))`. */
export function* step<F extends Face, T>(outcome: Outcome<F, T>): Steps<T> {
  return (yield outcome) as T;
}

/** Drives steps whose outcomes may be promises. What is no promise goes on at once. */
export async function runSteps<T>(steps: Steps<T>): Promise<T> {
  let next = steps.next();
  while (next.done !== true) {
    let value = next.value;
    if (value instanceof Promise) {
      try {
        value = (await value) as unknown;
      } catch (error) {
        next = steps.throw(error);
        continue;
      }
    }
    next = steps.next(value);
  }
  return next.value;
}

/** Drives steps whose outcomes are values. */
export function runStepsNow<T>(steps: Steps<T>): T {
  let next = steps.next();
  while (next.done !== true) next = steps.next(next.value);
  return next.value;
}
