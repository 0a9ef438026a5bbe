import { toTime } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";

/** A daily cap as the X-SendLimit headers tell it. */
export interface CapLeft {
  /** Infinite where there is none a day, but one of sends to new people. */
  limit: number;
  remaining: number;
  resets_at: number;
  /** Where the send counts. */
  place: string;
}

/** @param ofNew whether it is the cap of sends to people whom the account has not written with */
export function capReached(limit: CapLeft, now: number, ofNew: boolean): AppError {
  const seconds = Math.max(1, Math.ceil((limit.resets_at - now) / 1000));
  const sends = ofNew ? `${limit.limit} sends of today to people whom it has not written with` : `${limit.limit} sends of today`;
  return new AppError("daily_send_limit_reached", `This account has used its ${sends}; the next day begins ${toTime(limit.resets_at)}.`, {
    retryAfter: seconds,
    headers: capHeaders(limit, now),
  });
}

/** The X-SendLimit headers of an account with a daily cap. */
export function capHeaders(limit: CapLeft, now: number): Record<string, string> {
  if (limit.limit === Number.POSITIVE_INFINITY) return {};
  return {
    "X-SendLimit-Limit": String(limit.limit),
    "X-SendLimit-Remaining": String(limit.remaining),
    "X-SendLimit-Reset": String(Math.max(0, Math.ceil((limit.resets_at - now) / 1000))),
  };
}
