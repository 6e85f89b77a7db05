// Answers that nobody holds any more although their content was not read: their connections would wait for a reader for
// ever. It knows only whom to tell.

/** What is told that an answer was forgotten. */
export interface Forgetful {
  leaveTurn(turn: number): void;
}

const forgotten = new FinalizationRegistry<{ readonly source: Forgetful; readonly turn: number }>(
  ({ source, turn }) => source.leaveTurn(turn),
);

/** Has the connection told when the answer is collected. */
export function watch(response: object, source: Forgetful, turn: number): void {
  forgotten.register(response, { source, turn });
}
