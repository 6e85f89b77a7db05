// Points in time as HTTP writes them: RFC 9110 section 5.6.7. One form is written; three are read, for old ones live on in
// caches. It asks no clock.

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const MONTH = `(?<month>${MONTHS.join("|")})`;
const TIME = "(?<hour>[0-9]{2}):(?<minute>[0-9]{2}):(?<second>[0-9]{2})";
const FORMS: readonly RegExp[] = [
  // Sun, 06 Nov 1994 08:49:37 GMT
  new RegExp(`^(?:${DAYS.join("|")}), (?<day>[0-9]{2}) ${MONTH} (?<year>[0-9]{4}) ${TIME} GMT$`),
  // Sunday, 06-Nov-94 08:49:37 GMT
  new RegExp(
    `^(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day, (?<day>[0-9]{2})-${MONTH}-(?<year>[0-9]{2}) ${TIME} GMT$`,
  ),
  // Sun Nov  6 08:49:37 1994
  new RegExp(`^(?:${DAYS.join("|")}) ${MONTH} (?<day>[0-9 ][0-9]) ${TIME} (?<year>[0-9]{4})$`),
];

const digits = (number: number): string => String(number).padStart(2, "0");

const YEAR_0_MS = -62_167_219_200_000;
const YEAR_10000_MS = 253_402_300_800_000;

/** The point in time that a calendar of four digits for a year has nearest to it: a file may tell any. */
export function nearestDate(ms: number): number {
  return Math.min(Math.max(ms, YEAR_0_MS), YEAR_10000_MS - 1);
}

/**
 * A point in time as HTTP writes it: "Sun, 06 Nov 1994 08:49:37 GMT".
 *
 * @param ms  since 1970; of the years 0 to 9999. Parts of a second are dropped.
 */
export function formatHttpDate(ms: number): string {
  const date = new Date(ms);
  const day = `${DAYS[date.getUTCDay()]}, ${digits(date.getUTCDate())} ${MONTHS[date.getUTCMonth()]}`;
  const time = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(digits).join(":");
  return `${day} ${String(date.getUTCFullYear()).padStart(4, "0")} ${time} GMT`;
}

/**
 * Reads a date in any of the three forms.
 *
 * @param nowMs  the present, by which a year of two digits is placed: not more than 50 years ahead of it.
 * @returns milliseconds since 1970; undefined: the text is none of them, or names no day of the calendar.
 */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  for (const form of FORMS) {
    const parts = form.exec(text)?.groups;
    if (parts === undefined) continue;
    const { day, month, year, hour, minute, second } = parts;
    const [dayNumber, hours, minutes, seconds] = [day, hour, minute, second].map(Number) as [
      number,
      number,
      number,
      number,
    ];
    // 60 is a leap second.
    if (hours > 23 || minutes > 59 || seconds > 60) return undefined;
    const date = new Date(0);
    date.setUTCFullYear(fullYear(year as string, nowMs), MONTHS.indexOf(month as string), dayNumber);
    if (date.getUTCDate() !== dayNumber) return undefined;
    return date.setUTCHours(hours, minutes, seconds);
  }
  return undefined;
}

function fullYear(text: string, nowMs: number): number {
  if (text.length === 4) return Number(text);
  const present = new Date(nowMs).getUTCFullYear();
  const year = present - (present % 100) + Number(text);
  return year > present + 50 ? year - 100 : year;
}
