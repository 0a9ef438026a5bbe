import type { Clock } from "./clock.ts";

/** A clock that is ahead in some environments. */
export interface MovedClock extends Clock {
  /** By how much an environment's time is ahead of real time (ms). */
  offset(env_id: number): number;
  /** Moves an environment's time. It only ever goes ahead: a lesser offset is an older one, and is passed over. */
  move(env_id: number, offset_ms: number): void;
}

/** Real time by another clock, and for each environment how far ahead of it that one is; in memory alone. */
export function createMovedClock(base: Clock): MovedClock {
  const offsets = new Map<number, number>();
  const offset = (env_id: number) => offsets.get(env_id) ?? 0;
  return {
    now: (env_id) => (env_id === undefined || offsets.size === 0 ? base.now() : base.now() + offset(env_id)),
    at: base.at,
    real: (env_id, at) => at - offset(env_id),
    seen: (env_id, at) => at + offset(env_id),
    offset,
    move(env_id, offset_ms) {
      if (offset_ms > offset(env_id)) offsets.set(env_id, offset_ms);
    },
  };
}
