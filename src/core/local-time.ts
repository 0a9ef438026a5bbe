export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof weekdays)[number];

/** `09:00`, as a TypeBox pattern. */
export const timeOfDayPattern = "^([01]\\d|2[0-3]):[0-5]\\d$";

/** A time that a clock on the wall shows, such as `09:00`, on some days of the week; on all when they are left out. */
export interface LocalTime {
  time: string;
  weekdays?: readonly Weekday[] | undefined;
}

/** What a calendar and a clock on the wall show at a moment (ms) in a zone that {@link isTimezone} knows. */
export function zoned(at: number, zone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);
}

/** The calendar day of a moment (ms) in a zone: `2026-05-06`. */
export function localDateOf(at: number, zone: string): string {
  return zoned(at, zone).toPlainDate().toString();
}

/** True where a date falls on one of these days of the week; on any where they are left out. */
export function isOnWeekday(date: Temporal.PlainDate, days: readonly Weekday[] | undefined): boolean {
  return days === undefined || days.includes(weekdays[date.dayOfWeek - 1]!);
}

/**
 * The first moment (ms) at which a clock on the wall reads so or, where a change of clocks skips that, has passed it: just after
 * the gap. Of two moments that read the same it is the earlier one.
 */
export function reach(local: Temporal.PlainDateTime, zone: string): { at: number; isSkipped: boolean } {
  const moment = local.toZonedDateTime(zone, { disambiguation: "earlier" });
  if (moment.toPlainDateTime().equals(local)) return { at: moment.epochMilliseconds, isSkipped: false };
  // "earlier" is then so much before the gap as the time asked for lies in front of its end.
  return { at: moment.getTimeZoneTransition("next")?.epochMilliseconds ?? moment.epochMilliseconds, isSkipped: true };
}

/** As `reach`, but on a date that the zone left out whole (Apia, 2011-12-30) it is the same time on the next date that it had. */
export function momentOf(local: Temporal.PlainDateTime, zone: string): number {
  const { at, isSkipped } = reach(local, zone);
  return isSkipped && isLeftOut(local.toPlainDate(), zone) ? momentOf(local.add({ days: 1 }), zone) : at;
}

function isLeftOut(date: Temporal.PlainDate, zone: string): boolean {
  return reach(date.toPlainDateTime(), zone).at === reach(date.add({ days: 1 }).toPlainDateTime(), zone).at;
}

/**
 * The moment (ms) that `2026-12-01T09:00` is in a zone: just after the gap where a change of clocks skips it, the first of two
 * where it comes twice. Null for what is no date and time of day.
 */
export function atLocal(text: string, zone: string): number | null {
  const local = readLocal(text);
  return local && momentOf(local, zone);
}

const localPattern = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;

/** What `2026-12-01T09:00` names, without a zone; null for what is no date and time of day. */
export function readLocal(text: string): Temporal.PlainDateTime | null {
  if (!localPattern.test(text)) return null;
  try {
    return Temporal.PlainDateTime.from(text);
  } catch {
    return null;
  }
}

/** What was asked and answered last for a zone, time and weekdays: between the two moments the answer is the same. */
const answers = new Map<string, { from: number; to: number }>();
/** There are 445 zones, and few times that people choose. */
const ANSWERS_MAX = 20_000;

/**
 * The first moment (ms) at or after `at` that reads so in a zone. Each date has one at most: a time that a change of clocks skips
 * is just after the gap, one that comes twice is the first of the two and never both, and a date that was left out has none.
 * @throws RangeError where no weekday is given, or for a zone or a time that is none
 */
export function nextLocal(at: number, zone: string, { time, weekdays: days }: LocalTime): number {
  const key = `${zone} ${time} ${days === undefined ? "" : days.join()}`;
  const known = answers.get(key);
  if (known !== undefined && known.from <= at && at <= known.to) return known.to;
  const answer = findNext(at, zone, time, days);
  if (answers.size >= ANSWERS_MAX) answers.clear();
  answers.set(key, { from: at, to: answer });
  return answer;
}

function findNext(at: number, zone: string, time: string, days: readonly Weekday[] | undefined): number {
  if (days?.length === 0) throw new RangeError("A local time needs a weekday.");
  const timeOfDay = Temporal.PlainTime.from(time);
  // From the day before: where a gap ends at midnight, its late hours come to the first moment of today.
  let date = zoned(at, zone).toPlainDate().subtract({ days: 1 });
  for (; ; date = date.add({ days: 1 })) {
    if (!isOnWeekday(date, days)) continue;
    const reached = reach(date.toPlainDateTime(timeOfDay), zone);
    if (reached.at >= at && !(reached.isSkipped && isLeftOut(date, zone))) return reached.at;
  }
}
