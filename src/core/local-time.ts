import { toTime } from "./clock.ts";
import { DAY_MS, dayOf, isLeftOut, momentOf, reach, readWall, wallAt } from "./wall-time.ts";

export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof weekdays)[number];

/** `09:00`, as a TypeBox pattern. */
export const timeOfDayPattern = "^([01]\\d|2[0-3]):[0-5]\\d$";
const timeOfDay = new RegExp(timeOfDayPattern);

/** A time that a clock on the wall shows, such as `09:00`, on some days of the week; on all when they are left out. */
export interface LocalTime {
  time: string;
  weekdays?: readonly Weekday[] | undefined;
}

/** The date of a moment (ms) in a zone: `2026-05-06`. */
export function localDateOf(at: number, zone: string): string {
  return dateOf(dayOf(wallAt(at, zone)));
}

/** The date of a day that is counted from 1970-01-01. */
export function dateOf(day: number): string {
  return toTime(day * DAY_MS).slice(0, 10);
}

/** True where a day that is counted from 1970-01-01, a Thursday, is one of these; always where they are left out. */
export function isOnWeekday(day: number, days: readonly Weekday[] | undefined): boolean {
  return days === undefined || days.includes(weekdays[(((day + 3) % 7) + 7) % 7]!);
}

/** `09:00` in ms since midnight. @throws RangeError for what is no time of day */
export function timeOfDayMs(time: string): number {
  if (!timeOfDay.test(time)) throw new RangeError("A time of day is written as in 09:00.");
  return (Number(time.slice(0, 2)) * 60 + Number(time.slice(3))) * 60_000;
}

/**
 * The moment (ms) that `2026-12-01T09:00` is in a zone: just after the gap where a change of clocks skips it, the first of two
 * where it comes twice, the same time a day later where the zone left that date out. Null for what is no date and time of day.
 */
export function atLocal(text: string, zone: string): number | null {
  const wall = readWall(text);
  return wall === null ? null : momentOf(wall, zone);
}

/**
 * The first moment (ms) at or after `at` that reads so in a zone. Each date has one at most: a time that a change of clocks skips
 * is just after the gap, one that comes twice is the first of the two and never both, and a date that was left out has none.
 * @throws RangeError where no weekday is given, or for a zone or a time that is none
 */
export function nextLocal(at: number, zone: string, { time, weekdays: days }: LocalTime): number {
  if (days?.length === 0) throw new RangeError("A local time needs a weekday.");
  const sinceMidnight_ms = timeOfDayMs(time);
  // From the day before: where a gap ends at midnight, its late hours come to the first moment of today.
  for (let day = dayOf(wallAt(at, zone)) - 1; ; day++) {
    if (!isOnWeekday(day, days)) continue;
    const reached = reach(day * DAY_MS + sinceMidnight_ms, zone);
    if (reached.at >= at && !(reached.isSkipped && isLeftOut(day, zone))) return reached.at;
  }
}
