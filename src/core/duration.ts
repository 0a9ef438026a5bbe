import { DAY_MS, momentOf, readWall, wallAt } from "./wall-time.ts";

/** `30m`, `3d`, as a TypeBox pattern. */
export const durationPattern = "^[1-9]\\d{0,3}[smhdw]$";
/** A duration forwards or, as in `-3d`, back. */
export const offsetPattern = "^-?[1-9]\\d{0,3}[smhdw]$";

const SECOND_MS = 1_000;
const unitMs = { s: SECOND_MS, m: 60 * SECOND_MS, h: 3_600 * SECOND_MS, d: DAY_MS, w: 7 * DAY_MS };

export interface Duration {
  /** Below zero for one that goes back. */
  count: number;
  unit: keyof typeof unitMs;
}

const offset = new RegExp(offsetPattern);

/** What `3d` or `-3d` says; null for what is no duration. */
export function parseDuration(text: string): Duration | null {
  return offset.test(text) ? { count: Number(text.slice(0, -1)), unit: text.slice(-1) as Duration["unit"] } : null;
}

/** How long a duration is (ms), with days of 24 hours: for comparing, not for a calendar. */
export function durationMs({ count, unit }: Duration): number {
  return count * unitMs[unit];
}

/**
 * The moment (ms) a duration after `at`. Seconds, minutes and hours are elapsed time; days and weeks are those of the calendar in
 * the zone, with the same local time of day (as `atLocal` where that is skipped or comes twice).
 * @throws RangeError for what is no duration
 */
export function addDuration(at: number, duration: Duration | string, zone: string): number {
  const { count, unit } = typeof duration === "string" ? demandDuration(duration) : duration;
  if (unit !== "d" && unit !== "w") return at + count * unitMs[unit];
  return momentOf(wallAt(at, zone) + count * unitMs[unit], zone);
}

/**
 * The moment (ms) of a date such as `2026-05-06` in a zone, at a local time of day (midnight when left out), moved by an offset
 * such as `-3d`: days and weeks move the date, seconds, minutes and hours the moment. Null for what is no date or time of day.
 * @throws RangeError for an offset that is none
 */
export function atDate(
  date: string,
  zone: string,
  { time = "00:00", offset }: { time?: string | undefined; offset?: string | undefined } = {},
): number | null {
  const wall = readWall(`${date}T${time}`);
  if (wall === null || offset === undefined) return wall === null ? null : momentOf(wall, zone);
  const { count, unit } = demandDuration(offset);
  const moved_ms = count * unitMs[unit];
  return unit === "d" || unit === "w" ? momentOf(wall + moved_ms, zone) : momentOf(wall, zone) + moved_ms;
}

function demandDuration(text: string): Duration {
  const duration = parseDuration(text);
  if (duration === null) throw new RangeError("A duration is a number and one of s, m, h, d, w.");
  return duration;
}
