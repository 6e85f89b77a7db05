// One test for both faces: `berkeley`, whose waiting calls give promises, and `berkeley/sync`, whose calls block. A test
// that awaits whatever a call gives works with either, as long as it asks for nothing that has not been sent: a blocked
// thread has nobody who could send it then.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as berkeley from "berkeley";
import * as sync from "berkeley/sync";
import type { SocketError } from "berkeley";

/** The names of `berkeley`. Those of `berkeley/sync` are told to the compiler as the same: `await` takes values too. */
export type Face = typeof berkeley;

export const FACES: Readonly<Record<string, Face>> = {
  berkeley,
  "berkeley/sync": sync as unknown as Face,
};

/** Registers a test for each face. */
export function faceTest(
  name: string,
  body: (face: Face) => Promise<void> | void,
  options: { readonly skip?: string | boolean } = {},
): void {
  for (const [title, face] of Object.entries(FACES)) test(`${name} (${title})`, options, () => body(face));
}

/** What a call threw, or rejected with. Fails when it did neither. */
export async function failure(call: () => unknown): Promise<SocketError> {
  let value: unknown;
  try {
    value = await call();
  } catch (error) {
    assert.ok(error instanceof Error, `no Error: ${String(error)}`);
    return error as SocketError;
  }
  return assert.fail(`it gave ${String(value)}`);
}

/** The `code` of what a call threw, or rejected with. */
export async function codeOf(call: () => unknown): Promise<string> {
  return (await failure(call)).code;
}

/** Anything, for arguments that the types forbid. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function anything<T>(value: unknown): T {
  return value as T;
}
