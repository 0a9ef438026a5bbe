import type { Clock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";

const WINDOW_MS = 60_000;
/** Requests a minute from one address without a valid key: what a person or a probe needs, and no more. */
const STRANGER_LIMIT = 600;
const WINDOWS_MAX = 100_000;

type Headers = Record<string, string | number>;

interface Window {
  startedAt: number;
  used: number;
}

/** Counts requests in windows of a minute, each begun by its first request. Of this process alone. */
export function createRateLimiter(clock: Clock) {
  const windows = new Map<string, Window>();

  function windowOf(who: string, now: number): Window {
    const known = windows.get(who);
    if (known !== undefined && now - known.startedAt < WINDOW_MS && now >= known.startedAt) return known;
    const window = { startedAt: now, used: 0 };
    if (windows.size >= WINDOWS_MAX) forgetEnded(now);
    windows.set(who, window);
    return window;
  }

  function tell(window: Window, limit: number, now: number, headers: Headers): number {
    const reset = Math.ceil((window.startedAt + WINDOW_MS - now) / 1000);
    headers["x-ratelimit-limit"] = String(limit);
    headers["x-ratelimit-remaining"] = String(Math.max(0, limit - window.used));
    headers["x-ratelimit-reset"] = String(reset);
    return reset;
  }

  function count(who: string, limit: number, headers: Headers): void {
    const now = clock.now();
    const window = windowOf(who, now);
    const exceeded = window.used >= limit;
    if (!exceeded) window.used++;
    const reset = tell(window, limit, now, headers);
    if (exceeded)
      throw new AppError("rate_limit_exceeded", `${limit} requests a minute are allowed here; the next window begins in ${reset} s.`, {
        retryAfter: reset,
      });
  }

  function forgetEnded(now: number): void {
    for (const [who, window] of windows) if (now - window.startedAt >= WINDOW_MS) windows.delete(who);
    if (windows.size >= WINDOWS_MAX) windows.clear();
  }

  return {
    /** @throws AppError `rate_limit_exceeded` */
    limit: ({ key_id, rate_limit }: { key_id: string; rate_limit: number }, headers: Headers) => count(key_id, rate_limit, headers),
    /** Those without a valid key, by address. @throws AppError `rate_limit_exceeded` */
    limitStranger: (address: string, headers: Headers) => count(address, STRANGER_LIMIT, headers),
    /** Tells without counting: for what anybody may ask as often as needed, such as /health. */
    tellStranger: (address: string, headers: Headers): void =>
      void tell(windowOf(address, clock.now()), STRANGER_LIMIT, clock.now(), headers),
  };
}
