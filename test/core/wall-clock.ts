import fc from "fast-check";
import { type Weekday, weekdays } from "#src/core/local-time.ts";

export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

/** Changes of clocks, leap days and ends of months, to look around. */
export const changes: Record<string, string[]> = {
  "Europe/Berlin": ["2026-03-29T01:00Z", "2026-10-25T01:00Z", "2028-02-29T12:00Z", "2026-12-31T23:00Z"],
  "America/New_York": ["2026-03-08T07:00Z", "2026-11-01T06:00Z", "2028-02-29T12:00Z", "2027-04-30T12:00Z"],
  "Asia/Kathmandu": ["1985-12-31T18:30Z", "2026-03-29T01:00Z", "2028-02-29T00:00Z"],
  "Australia/Lord_Howe": ["2026-04-04T15:00Z", "2026-10-03T15:30Z", "2028-02-29T00:00Z"],
  "Pacific/Apia": ["2011-12-30T10:00Z", "2011-09-24T14:00Z", "2012-03-31T14:00Z", "2028-02-29T00:00Z"],
  // Its clocks go from 23:00 to midnight, and from midnight back to 23:00.
  "America/Nuuk": ["2026-03-29T01:00Z", "2026-10-25T01:00Z"],
};

export const somewhere = fc
  .constantFrom(...Object.entries(changes).flatMap(([zone, moments]) => moments.map((moment) => ({ zone, moment }))))
  .chain(({ zone, moment }) => fc.integer({ min: -3 * DAY_MS, max: 3 * DAY_MS }).map((away) => ({ zone, at: Date.parse(moment) + away })));

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

export const dayBefore = (date: string): string => new Date(Date.parse(`${date}T00:00Z`) - DAY_MS).toISOString().slice(0, 10);

/** Sunday is the first for `Date`, Monday for us. */
export const weekdayOf = (date: string): Weekday => weekdays[(new Date(`${date}T12:00Z`).getUTCDay() + 6) % 7]!;

/** Times of day, most of them in the hours in which clocks are changed. */
export const timeArb = fc
  .tuple(fc.oneof(fc.constantFrom(0, 1, 2, 3, 22, 23), fc.integer({ min: 0, max: 23 })), fc.integer({ min: 0, max: 59 }))
  .map(([hour, minute]) => `${String(hour).padStart(2, "0")}:${String(minute).padStart(2, "0")}`);
