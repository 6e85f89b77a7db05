// Errors that tests expect.

import assert from "node:assert/strict";
import { SocketError } from "berkeley";

/** The code of the SocketError that a promise rejects with; it must. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SocketError, `a SocketError, not ${String(error)}`);
  return error.code;
}
