// A handler that may accept another protocol, from its call to its end. It may live for as long as that is spoken, and
// thousands of idle connections have one: so it holds nothing of the connection, and has one reaction to the handler's
// promise, which serves who waits for the first of its end and the other protocol, and who is told how it ended.

import { RemoteProtocolError } from "../../wire/errors.ts";

/** One handler's life. */
export class HandlersLife {
  readonly #ended: Promise<void>;
  #next: (() => void) | undefined = undefined;
  #isLetGo = false;
  #failure: { readonly error: unknown } | undefined = undefined;
  readonly #onError: (error: unknown) => void;

  /** @param onError  told what it throws, if it was let go. */
  constructor(result: Promise<void>, onError: (error: unknown) => void) {
    this.#onError = onError;
    this.#ended = result.then(
      () => this.#next?.(),
      (error: unknown) => {
        this.#failure = { error };
        this.#next?.();
        this.#tell();
      },
    );
  }

  /** Calls when it has returned or thrown, unless it is let go before. */
  onEnd(call: () => void): void {
    this.#next = call;
  }

  /** It has accepted another protocol, and goes on alone. @returns resolves with its end. */
  letGo(): Promise<void> {
    this.#next = undefined;
    this.#isLetGo = true;
    this.#tell();
    return this.#ended;
  }

  /** Of another protocol's peer nobody here knows more than that it broke its rules, which is no news. */
  #tell(): void {
    const failure = this.#failure;
    if (!this.#isLetGo || failure === undefined) return;
    this.#failure = undefined;
    if (!(failure.error instanceof RemoteProtocolError)) this.#onError(failure.error);
  }
}
