import { isOnWeekday, reach, type Weekday, zoned } from "./local-time.ts";

/**
 * When sends may leave, by the clock on the wall: `from` is open, `to` no longer is; `to` before `from` passes midnight. The
 * weekdays are those of the dates on which it opens. What is left out is no limit; where both times are equal it never opens.
 */
export interface SendWindow {
  weekdays?: readonly Weekday[] | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** What doesn't open within two years is said to never open. */
const DAYS_MAX = 731;

/**
 * The first moment (ms) at or after `at` at which a window is open in a zone: `at` itself where it is, null where it doesn't open
 * within two years. It doesn't open on holidays (local dates such as `2026-12-25`), and one that is open ends when they begin.
 * @throws RangeError for a zone or a time that is none
 */
export function opensAt(at: number, zone: string, window: SendWindow, holidays: readonly string[] = []): number | null {
  const local = zoned(at, zone);
  if (isOpen(local, window, holidays)) return at;
  const opening = nextOpening(local, zone, window, holidays);
  if (opening === null) return null;
  // A clock that is set back can come into a window again that has closed before.
  let change = local.getTimeZoneTransition("next");
  while (change !== null && change.epochMilliseconds < opening) {
    if (isOpen(change, window, holidays)) return change.epochMilliseconds;
    change = change.getTimeZoneTransition("next");
  }
  return opening;
}

function nextOpening(local: Temporal.ZonedDateTime, zone: string, window: SendWindow, holidays: readonly string[]): number | null {
  const from = Temporal.PlainTime.from(window.from ?? "00:00");
  let date = local.toPlainDate();
  for (let day = 0; day <= DAYS_MAX; day++, date = date.add({ days: 1 })) {
    if (!opensOn(date, window, holidays)) continue;
    const { at, isSkipped } = reach(date.toPlainDateTime(from), zone);
    // What is skipped can be skipped beyond the window's end.
    if (at > local.epochMilliseconds && (!isSkipped || isOpen(zoned(at, zone), window, holidays))) return at;
  }
  return null;
}

function isOpen(local: Temporal.ZonedDateTime, window: SendWindow, holidays: readonly string[]): boolean {
  const minute = local.hour * 60 + local.minute;
  const [from, to] = timesOf(window);
  const isWithin = from <= to ? minute >= from && minute < to : minute >= from || minute < to;
  if (!isWithin) return false;
  const date = local.toPlainDate();
  if (minute >= from) return opensOn(date, window, holidays);
  return !isHoliday(date, holidays) && opensOn(date.subtract({ days: 1 }), window, holidays);
}

function opensOn(date: Temporal.PlainDate, window: SendWindow, holidays: readonly string[]): boolean {
  const [from, to] = timesOf(window);
  return from !== to && isOnWeekday(date, window.weekdays) && !isHoliday(date, holidays);
}

function isHoliday(date: Temporal.PlainDate, holidays: readonly string[]): boolean {
  return holidays.length > 0 && holidays.includes(date.toString());
}

function timesOf({ from, to }: SendWindow): [from: number, to: number] {
  return [from === undefined ? 0 : minuteOf(from), to === undefined ? 1_440 : minuteOf(to)];
}

/** Minutes since midnight. */
function minuteOf(time: string): number {
  return Number(time.slice(0, 2)) * 60 + Number(time.slice(3, 5));
}
