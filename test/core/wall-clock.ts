import fc from "fast-check";
import { type Weekday, weekdays } from "#src/core/local-time.ts";

const formats = new Map<string, Intl.DateTimeFormat>();
const readings = new Map<string, Map<number, string>>();

/** What a clock on the wall reads, `2026-05-06 09:00`, as Intl writes it: it knows nothing of how we reckon. */
export function reading(at: number, zone: string): string {
  let known = readings.get(zone);
  if (known === undefined) readings.set(zone, (known = new Map()));
  let text = known.get(at);
  if (text === undefined) known.set(at, (text = formatOf(zone).format(at).replace(", ", " ")));
  return text;
}

function formatOf(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (format === undefined) {
    const digits = { month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" } as const;
    format = new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", ...digits, hourCycle: "h23" });
    formats.set(zone, format);
  }
  return format;
}

export const dateOf = (reading: string): string => reading.slice(0, 10);

export const dayBefore = (date: string): string => new Date(Date.parse(`${date}T00:00Z`) - 86_400_000).toISOString().slice(0, 10);

/** Sunday is the first for `Date`, Monday for us. */
export const weekdayOf = (date: string): Weekday => weekdays[(new Date(`${date}T12:00Z`).getUTCDay() + 6) % 7]!;

/** Times of day, most of them in the hours in which clocks are changed. */
export const timeArb = fc
  .tuple(fc.oneof(fc.constantFrom(0, 1, 2, 3, 22, 23), fc.integer({ min: 0, max: 23 })), fc.integer({ min: 0, max: 59 }))
  .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`);
