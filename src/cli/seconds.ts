// Options of the command line that are a number of seconds. Pure.

import { UsageError } from "./endpoint.ts";

/** An hour: longer than any connect(2), and than anybody waits for an answer. */
const SECONDS_MAX = 3600;

/** Reads the value of such an option, for commander. @throws {UsageError} it is no number above 0 and up to an hour. */
export function parseSeconds(option: string): (text: string) => number {
  return (text) => {
    const seconds = Number(text);
    if (text.trim() === "" || !(seconds > 0 && seconds <= SECONDS_MAX))
      throw new UsageError(`${option} is a number of seconds above 0 and up to ${SECONDS_MAX}`);
    return seconds;
  };
}
