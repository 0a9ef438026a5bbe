/** All time comes through a clock, so that tests and test environments can move it. */
export interface Clock {
  /**
   * Milliseconds since 1970-01-01T00:00:00Z.
   * @param env_id whose time it is: that of a test environment may have been moved ahead. Without it, real time
   */
  now(env_id?: number): number;
  /** Calls `fire` once when `now()` has reached `at` (ms, real time). The answer cancels it. */
  at(at: number, fire: () => void): () => void;
  /** When, in real time, an environment's clock shows this (ms). */
  real(env_id: number, at: number): number;
  /** What an environment's clock shows at a real time (ms). */
  seen(env_id: number, at: number): number;
}

/** A clock by which every environment has real time. */
export const unmoved: Pick<Clock, "real" | "seen"> = { real: (_env_id, at) => at, seen: (_env_id, at) => at };

/** Node's timers overflow past 2^31 - 1 ms (24.8 days); a longer wait is taken in steps. */
const TIMER_MAX_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  ...unmoved,
  now: () => Date.now(),
  at(at, fire) {
    let timer: ReturnType<typeof setTimeout>;
    const arm = () => {
      const wait = at - Date.now();
      timer = wait > TIMER_MAX_MS ? setTimeout(arm, TIMER_MAX_MS) : setTimeout(fire, Math.max(0, wait));
    };
    arm();
    return () => clearTimeout(timer);
  },
};

/** The moment that a client wrote as RFC 3339 with a date and a time (ms), or null when it is none. */
export function parseTime(text: string): number | null {
  const at = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

/** The moment that an HTTP header names (ms), or null. https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7 */
export function parseHttpDate(text: string): number | null {
  const at = /^[A-Z][a-z]{2},? /.test(text) || /^[A-Z][a-z]+day, /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : at;
}

/** What happens within some milliseconds is written many times over. A power of two. */
const TIMES_KEPT = 64;
const times: { ms: number; text: string }[] = [];

/** RFC 3339 in UTC with Z and milliseconds, or null. */
export function toTime(ms: number): string;
export function toTime(ms: number | null): string | null;
export function toTime(ms: number | null): string | null {
  if (ms === null) return null;
  const at = ms & (TIMES_KEPT - 1);
  let written = times[at];
  if (written?.ms !== ms) written = times[at] = { ms, text: new Date(ms).toISOString() };
  return written.text;
}
