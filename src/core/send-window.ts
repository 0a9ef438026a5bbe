import { dateOf, isOnWeekday, timeOfDayMs, type Weekday } from "./local-time.ts";
import { DAY_MS, dayOf, nextChangeAfter, reach, reachAgain, wallAt, type WallMs } from "./wall-time.ts";

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
  const hours = { ...hoursOf(window), weekdays: window.weekdays, holidays };
  const wall = wallAt(at, zone);
  if (isOpen(wall, hours)) return at;
  const opening = nextOpening(at, dayOf(wall), zone, hours);
  if (opening === null) return null;
  // A clock that is set back can come into a window again that has closed before.
  for (let change = nextChangeAfter(at, zone); change < opening; change = nextChangeAfter(change, zone))
    if (isOpen(wallAt(change, zone), hours)) return change;
  return opening;
}

interface Hours {
  /** Both since midnight. */
  from_ms: number;
  to_ms: number;
  weekdays: readonly Weekday[] | undefined;
  holidays: readonly string[];
}

function hoursOf({ from, to }: SendWindow): Pick<Hours, "from_ms" | "to_ms"> {
  return { from_ms: from === undefined ? 0 : timeOfDayMs(from), to_ms: to === undefined ? DAY_MS : timeOfDayMs(to) };
}

function nextOpening(after: number, today: number, zone: string, hours: Hours): number | null {
  // From the day before: clocks can be set back into it.
  for (let day = today - 1; day <= today + DAYS_MAX; day++) {
    if (!opensOn(day, hours)) continue;
    const from = day * DAY_MS + hours.from_ms;
    const { at, isSkipped } = reach(from, zone);
    // What is skipped can be skipped beyond the window's end.
    if (at > after && (!isSkipped || isOpen(wallAt(at, zone), hours))) return at;
    const again = at > after || isSkipped ? null : reachAgain(from, at, zone);
    if (again !== null && again > after) return again;
  }
  return null;
}

function isOpen(wall: WallMs, hours: Hours): boolean {
  const { from_ms, to_ms } = hours;
  const day = dayOf(wall);
  const sinceMidnight_ms = wall - day * DAY_MS;
  if (sinceMidnight_ms >= from_ms) return (to_ms < from_ms || sinceMidnight_ms < to_ms) && opensOn(day, hours);
  return to_ms < from_ms && sinceMidnight_ms < to_ms && !isHoliday(day, hours) && opensOn(day - 1, hours);
}

function opensOn(day: number, hours: Hours): boolean {
  return hours.from_ms !== hours.to_ms && isOnWeekday(day, hours.weekdays) && !isHoliday(day, hours);
}

function isHoliday(day: number, { holidays }: Hours): boolean {
  return holidays.length > 0 && holidays.includes(dateOf(day));
}
