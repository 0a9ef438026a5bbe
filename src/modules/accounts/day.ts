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

const clocks = new Map<string, Intl.DateTimeFormat>();

/** Minutes since midnight, as a clock on a wall there shows them. */
function minuteOfDay(ms: number, timezone: string): number {
  let known = clocks.get(timezone);
  if (known === undefined) {
    known = new Intl.DateTimeFormat("en-GB", { timeZone: timezone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    clocks.set(timezone, known);
  }
  const [hours, minutes] = known.format(ms).split(":").map(Number) as [number, number];
  return hours * 60 + minutes;
}

/**
 * When the quiet hours end that a moment lies in, by the clock on the wall: `from` is quiet, `to` no longer is. They may go past
 * midnight; where both are equal there are none.
 * @returns ms, to the minute; null outside of them
 */
export function quietUntil(ms: number, timezone: string, { from, to }: { from: string; to: string }): number | null {
  const [start, end] = [minutes(from), minutes(to)];
  const isQuiet = (at: number) => {
    const minute = minuteOfDay(at, timezone);
    return start <= end ? minute >= start && minute < end : minute >= start || minute < end;
  };
  if (!isQuiet(ms)) return null;
  // Where the clock is changed meanwhile, the distance on the wall is off by that much: look around it.
  const away = (end - minuteOfDay(ms, timezone) + 1_440) % 1_440;
  const minuteStart = Math.floor(ms / 60_000) * 60_000;
  for (let at = minuteStart + Math.max(1, away - 180) * 60_000; ; at += 60_000) if (!isQuiet(at)) return at;
}

function minutes(text: string): number {
  const [hours, rest] = text.split(":").map(Number) as [number, number];
  return hours * 60 + rest;
}
