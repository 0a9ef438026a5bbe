/**
 * What a clock on the wall shows, as a number that is easy to reckon with: the ms since 1970-01-01T00:00 of that clock, as if it
 * showed UTC. 9:00 of a day is that day's midnight and nine hours, in every zone.
 */
export type WallMs = number;

export const DAY_MS = 86_400_000;

/** A time between two changes of a zone's clocks: from the first moment (ms) on, to the second one, exclusive. */
interface Span {
  from: number;
  to: number;
  /** What the clocks are ahead of UTC. */
  offset_ms: number;
}

/** Looking a change of clocks up takes a thousand times as long as reckoning between two of them. */
const spans = new Map<string, Span[]>();
const ZONES_MAX = 1_000;
const SPANS_MAX = 4;

function spanAt(at: number, zone: string): Span {
  const known = spans.get(zone) ?? [];
  for (const span of known) if (span.from <= at && at < span.to) return span;
  const moment = zoned(at, zone);
  const span = {
    from: moment.add({ nanoseconds: 1 }).getTimeZoneTransition("previous")?.epochMilliseconds ?? Number.NEGATIVE_INFINITY,
    to: nextChange(moment),
    offset_ms: moment.offsetNanoseconds / 1_000_000,
  };
  if (known.length === 0 && spans.size >= ZONES_MAX) spans.clear();
  spans.set(zone, [span, ...known.slice(0, SPANS_MAX - 1)]);
  return span;
}

const zoned = (at: number, zone: string) => Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(zone);

const nextChange = (moment: Temporal.ZonedDateTime) => moment.getTimeZoneTransition("next")?.epochMilliseconds ?? Number.POSITIVE_INFINITY;

/** What the clocks of a zone show at a moment (ms). @throws RangeError for a zone that is none */
export function wallAt(at: number, zone: string): WallMs {
  return at + spanAt(at, zone).offset_ms;
}

/** The moment (ms) at which a zone's clocks are changed next, after `at`; infinity where they never are. */
export function nextChangeAfter(at: number, zone: string): number {
  return spanAt(at, zone).to;
}

/** No two offsets are further apart, not even where a zone has gone across the date line (24 hours). */
const NEAR_CHANGE_MS = 1.5 * DAY_MS;

/**
 * The first moment (ms) at which a zone's clocks show this or, where a change of clocks skips it, have passed it: just after the
 * gap. Of two moments that show the same it is the earlier one.
 */
export function reach(wall: WallMs, zone: string): { at: number; isSkipped: boolean } {
  const span = spanAt(wall, zone);
  const at = wall - span.offset_ms;
  if (at - NEAR_CHANGE_MS >= span.from && at + NEAR_CHANGE_MS < span.to) return { at, isSkipped: false };
  const moment = zoned(wall, "UTC").toPlainDateTime().toZonedDateTime(zone, { disambiguation: "earlier" });
  if (moment.epochMilliseconds + moment.offsetNanoseconds / 1_000_000 === wall) return { at: moment.epochMilliseconds, isSkipped: false };
  // "earlier" is then so much before the gap as the time asked for lies in front of its end.
  return { at: nextChange(moment), isSkipped: true };
}

/** The second moment (ms) at which a zone's clocks show this, where they have been set back after the first, `at`; else null. */
export function reachAgain(wall: WallMs, at: number, zone: string): number | null {
  const change = nextChangeAfter(at, zone);
  if (change - at > NEAR_CHANGE_MS) return null;
  const again = wall - spanAt(change, zone).offset_ms;
  return again >= change ? again : null;
}

/** As `reach`, but on a date that the zone left out whole (Apia, 2011-12-30) it is the same time on the next date that it had. */
export function momentOf(wall: WallMs, zone: string): number {
  const { at, isSkipped } = reach(wall, zone);
  return isSkipped && isLeftOut(dayOf(wall), zone) ? momentOf(wall + DAY_MS, zone) : at;
}

/** True where a zone never had this day (of {@link dayOf}). */
export function isLeftOut(day: number, zone: string): boolean {
  return reach(day * DAY_MS, zone).at === reach((day + 1) * DAY_MS, zone).at;
}

/** The day that a clock on the wall is in, counted from 1970-01-01. */
export function dayOf(wall: WallMs): number {
  return Math.floor(wall / DAY_MS);
}

const wallPattern = /^\d{4}-\d\d-\d\dT([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$/;

/** What `2026-12-01T09:00` names; null for what is no date and time of day. */
export function readWall(text: string): WallMs | null {
  if (!wallPattern.test(text)) return null;
  try {
    return Temporal.PlainDateTime.from(text).toZonedDateTime("UTC").epochMilliseconds;
  } catch {
    return null;
  }
}
