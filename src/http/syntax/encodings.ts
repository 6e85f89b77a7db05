// Which content coding a client takes: RFC 9110 section 12.5.3. It compresses nothing.

import { parseList } from "../../wire/parameters.ts";

/** A weight (RFC 9110 section 12.4.2), in thousandths; undefined: it is none. */
function weightOf(text: string | undefined): number | undefined {
  if (text === undefined) return 1000;
  return /^(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)$/.test(text) ? Math.round(1000 * Number(text)) : undefined;
}

/**
 * Picks the coding that a client likes best.
 *
 * @param accept     Accept-Encoding; undefined, or one that cannot be read: no coding is asked for.
 * @param available  codings that can be had, the best first: of those that the client likes alike the first is taken.
 * @returns one of them; undefined: none, send it as it is.
 */
export function pickEncoding<Coding extends string>(
  accept: string | undefined,
  available: readonly Coding[],
): Coding | undefined {
  const elements = accept === undefined ? undefined : parseList(accept);
  if (elements === undefined) return undefined;
  const weights = new Map<string, number>();
  for (const { name, parameters } of elements) {
    const weight = weightOf(parameters.get("q"));
    if (weight === undefined) return undefined;
    // "x-gzip" is an old name of it (RFC 9110 section 8.4.1.3).
    weights.set(name === "x-gzip" ? "gzip" : name, weight);
  }
  const others = weights.get("*") ?? 0;
  let best: Coding | undefined;
  // What is not named is taken too, but liked least.
  let bestWeight = weights.get("identity") ?? 0;
  for (const coding of available) {
    const weight = weights.get(coding) ?? others;
    if (weight > 0 && (weight > bestWeight || (best === undefined && weight >= bestWeight))) {
      best = coding;
      bestWeight = weight;
    }
  }
  return best;
}
