// How far a transfer is, as one line of text. Pure: it is told the time, and prints nothing.

/** What is known of a transfer. */
export interface Transfer {
  /** Bytes that are here. */
  readonly bytes: number;
  /** Of these, how many were here before it began. */
  readonly before: number;
  /** All bytes there will be; undefined: nobody knows. */
  readonly total: number | undefined;
  /** Milliseconds since it began. */
  readonly elapsedMs: number;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;
const BAR_CHARACTERS = 24;
const SECOND_MS = 1000;
const MINUTE_SECONDS = 60;
const HOUR_SECONDS = 3600;

/** "0 B", "999 B", "1.5 KiB", "27 MiB": three digits at most. */
export function formatBytes(bytes: number): string {
  let amount = bytes;
  let unit = 0;
  // What would be rounded up to 1000 has the next unit.
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1024;
    unit++;
  }
  const text = unit === 0 || amount >= 9.95 ? amount.toFixed(0) : amount.toFixed(1);
  return `${text} ${UNITS[unit]}`;
}

/** "0:07", "12:34", "1:02:03". */
export function formatSeconds(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (part: number): string => String(Math.floor(part)).padStart(2, "0");
  const tail = `${two((whole % HOUR_SECONDS) / MINUTE_SECONDS)}:${two(whole % MINUTE_SECONDS)}`;
  if (whole >= HOUR_SECONDS) return `${Math.floor(whole / HOUR_SECONDS)}:${tail}`;
  return tail.replace(/^0/, "");
}

/**
 * One line: `[############            ]  50 %  12 MiB of 24 MiB  3.0 MiB/s  0:04 left`, and without a total
 * `12 MiB  3.0 MiB/s  0:04`.
 */
export function formatProgress({ bytes, before, total, elapsedMs }: Transfer): string {
  const seconds = elapsedMs / SECOND_MS;
  const rate = seconds > 0 ? (bytes - before) / seconds : 0;
  const speed = `${formatBytes(rate)}/s`;
  if (total === undefined || total === 0) return `${formatBytes(bytes)}  ${speed}  ${formatSeconds(seconds)}`;
  const part = Math.min(1, bytes / total);
  const bar = "#".repeat(Math.floor(part * BAR_CHARACTERS)).padEnd(BAR_CHARACTERS);
  const percent = String(Math.floor(100 * part)).padStart(3);
  const left = rate > 0 ? `  ${formatSeconds((total - bytes) / rate)} left` : "";
  return `[${bar}] ${percent} %  ${formatBytes(bytes)} of ${formatBytes(total)}  ${speed}${bytes < total ? left : ""}`;
}
