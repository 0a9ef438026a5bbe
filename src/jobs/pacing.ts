import type { Limit } from "./job.ts";

/** Holds to limits of the form "at most n in any t ms": exact, with memory for the last n uses of each. */
export interface Pace {
  /** @returns when the next use is allowed (ms); a time in the past means now */
  openAt(): number;
  /** A use has begun that is not on the wire yet: it counts until `used` or `unused`. */
  reserve(): void;
  used(now: number): void;
  unused(): void;
  /** True when nothing of the past limits the next use: then it can be forgotten. */
  isIdle(now: number): boolean;
}

/** Shared by all that no limit holds: it has nothing to remember. */
export const UNLIMITED: Pace = { openAt: () => 0, reserve() {}, used() {}, unused() {}, isIdle: () => true };

export function createPace(limits: readonly Limit[]): Pace {
  if (limits.length === 0) return UNLIMITED;
  const windows = limits.map(createWindow);
  let reserved = 0;
  return {
    openAt: () => windows.reduce((latest, window) => Math.max(latest, window.openAt(reserved)), 0),
    reserve: () => void reserved++,
    unused: () => void reserved--,
    used(now) {
      reserved--;
      for (const window of windows) window.add(now);
    },
    isIdle: (now) => reserved === 0 && windows.every((window) => window.lastEnds() <= now),
  };
}

/** The times of the last `count` uses, as a ring. */
function createWindow({ count, per_ms }: Limit) {
  const times: number[] = [];
  let next = 0;
  return {
    /** With `reserved` uses under way, the use that has to leave the window first is that many places further on. */
    openAt(reserved: number): number {
      if (reserved >= count) return Number.POSITIVE_INFINITY;
      const free = count - times.length - reserved;
      if (free > 0) return 0;
      return times[(next - free) % times.length]! + per_ms;
    },
    add(now: number): void {
      if (times.length < count) times.push(now);
      else {
        times[next] = now;
        next = (next + 1) % count;
      }
    },
    lastEnds: () => (times.length === 0 ? 0 : times[(next + times.length - 1) % times.length]! + per_ms),
  };
}
