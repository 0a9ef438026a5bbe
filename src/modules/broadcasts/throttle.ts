import type { Plan } from "./model.ts";

/** How long a broadcast that was held up catches up with its pace. */
const BEHIND_MAX_MS = 1_000;
/** A message a minute is one in these, so that with what is caught up there are never more than asked for in any minute. */
const MINUTE_MS = 60_000 + BEHIND_MAX_MS;

/** What a pace lets be made now. */
export interface Pace {
  most: number;
  /** From when on messages count (ms), and what each takes. */
  from: number;
  each_ms: number;
}

/** @param slot_at when the next message may be made, as the last ones have left it (ms) */
export function throttled(throttle: Plan["throttle"], slot_at: number, now: number): Pace {
  if (throttle === null) return { most: Number.POSITIVE_INFINITY, from: 0, each_ms: 0 };
  const each_ms = MINUTE_MS / throttle.per_minute;
  const from = Math.max(slot_at, now - BEHIND_MAX_MS);
  return { most: from > now ? 0 : Math.floor((now - from) / each_ms) + 1, from, each_ms };
}

/** When the next may be made, once so many were. */
export function taken({ from, each_ms }: Pace, count: number): number {
  return count === 0 ? from : Math.ceil(from + count * each_ms);
}
