// What is wrong with a filter expression, and where.

/** A filter expression that cannot be read or compiled. `code` is ERR_FILTER_SYNTAX. */
export class FilterError extends Error {
  static {
    FilterError.prototype.name = "FilterError";
  }
  readonly code = "ERR_FILTER_SYNTAX" as const;
  /** The expression. */
  readonly expression: string;
  /** Where in it, in characters from 0. */
  readonly position: number;

  /** @param problem  what is wrong, "a port must be a number from 0 to 65535". */
  constructor(expression: string, position: number, problem: string) {
    super(`filter: ${problem}, at character ${position + 1} of ${JSON.stringify(expression)}`);
    this.expression = expression;
    this.position = position;
  }
}
