import { toTime } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";

/** A daily cap as the X-SendLimit headers tell it. */
export interface CapLeft {
  limit: number;
  remaining: number;
  resets_at: number;
  day: string;
}

/** The refusal of a send past today's cap. */
export function capReached(cap: number, limit: CapLeft, now: number): AppError {
  const seconds = Math.max(1, Math.ceil((limit.resets_at - now) / 1000));
  return new AppError(
    "daily_send_limit_reached",
    `This account has used its ${cap} sends of today; the next day begins ${toTime(limit.resets_at)}.`,
    {
      retryAfter: seconds,
      headers: capHeaders(limit, now),
    },
  );
}

/** The X-SendLimit headers of an account with a daily cap. */
export function capHeaders(limit: CapLeft, now: number): Record<string, string> {
  return {
    "X-SendLimit-Limit": String(limit.limit),
    "X-SendLimit-Remaining": String(limit.remaining),
    "X-SendLimit-Reset": String(Math.max(0, Math.ceil((limit.resets_at - now) / 1000))),
  };
}
