// Errors of selectors that are neither a system call's nor an argument's: CPython's KeyError and RuntimeError here.

import { inspect } from "node:util";

/**
 * A selector was asked for what it does not have. `code` is
 * - ERR_NOT_REGISTERED: the file object is not registered;
 * - ERR_ALREADY_REGISTERED: its descriptor is registered, perhaps through another object;
 * - ERR_SELECTOR_CLOSED: the selector was closed;
 * - ERR_UNSUPPORTED_PLATFORM: this system has no such selector.
 */
export class SelectorError extends Error {
  static {
    SelectorError.prototype.name = "SelectorError";
  }
  /** Which of the above. */
  readonly code: string;

  /** @internal */
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** A file object in a message. */
const shown = (file: unknown): string => inspect(file, { depth: 0, breakLength: Infinity });

/** ERR_NOT_REGISTERED. */
export function notRegistered(file: unknown): SelectorError {
  return new SelectorError("ERR_NOT_REGISTERED", `${shown(file)} is not registered`);
}

/** ERR_ALREADY_REGISTERED. */
export function alreadyRegistered(file: unknown, fd: number): SelectorError {
  return new SelectorError("ERR_ALREADY_REGISTERED", `${shown(file)} (fd ${fd}) is already registered`);
}

/** ERR_SELECTOR_CLOSED. */
export function selectorClosed(): SelectorError {
  return new SelectorError("ERR_SELECTOR_CLOSED", "the selector is closed");
}
