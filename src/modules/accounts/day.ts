const formats = new Map<string, Intl.DateTimeFormat>();

function format(timezone: string): Intl.DateTimeFormat {
  let known = formats.get(timezone);
  if (known === undefined) {
    known = new Intl.DateTimeFormat("en-CA", { timeZone: timezone, year: "numeric", month: "2-digit", day: "2-digit" });
    formats.set(timezone, known);
  }
  return known;
}

/** The calendar day of a moment in a timezone: `2026-05-06`. */
export function dayOf(ms: number, timezone: string): string {
  return format(timezone).format(ms);
}

/** When the next day begins in a timezone (ms), to the second: days of 23 and 25 hours included. */
export function nextDayAt(ms: number, timezone: string): number {
  const today = dayOf(ms, timezone);
  let low = ms;
  let high = ms + 26 * 3_600_000;
  while (high - low > 1_000) {
    const middle = Math.floor((low + high) / 2);
    if (dayOf(middle, timezone) === today) low = middle;
    else high = middle;
  }
  return Math.floor(high / 1_000) * 1_000;
}
