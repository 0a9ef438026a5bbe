/** When a delivery that failed is tried again. */
export interface RetryPolicy {
  max_attempts: number;
  /** Seconds before each attempt, the first one's included. */
  schedule: readonly number[];
}

/** About a day in all. */
export const defaultRetry: RetryPolicy = { max_attempts: 9, schedule: [0, 5, 30, 120, 600, 3_600, 10_800, 28_800, 43_200] };

export const ATTEMPTS_MAX = 20;
export const DELAYS_MAX = 20;
export const DELAY_SECONDS_MAX = 86_400;

/** As the API has it: the first attempt is at once and not told of, since it can't be otherwise. */
interface Delays {
  max_attempts: number;
  /** Seconds between one attempt and the next. */
  schedule: number[];
}

/** What a row says of it. @param row with `retry` as JSON; null for the default */
export function retryOf({ retry }: { retry: string | null }): RetryPolicy {
  return retry === null ? defaultRetry : (JSON.parse(retry) as RetryPolicy);
}

export function presentRetry({ max_attempts, schedule }: RetryPolicy): Delays {
  return { max_attempts, schedule: schedule.slice(1) };
}

/** Makes a whole policy of what was asked for, either part of which may be missing. */
export function completeRetry({ max_attempts, schedule }: Partial<Delays>): RetryPolicy {
  if (schedule === undefined) return { ...defaultRetry, max_attempts: max_attempts ?? defaultRetry.max_attempts };
  return { max_attempts: max_attempts ?? Math.min(ATTEMPTS_MAX, schedule.length + 1), schedule: [0, ...schedule] };
}
