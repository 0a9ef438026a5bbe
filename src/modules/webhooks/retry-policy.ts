export const ATTEMPTS_MAX = 20;
export const DELAYS_MAX = 20;
export const DELAY_SECONDS_MAX = 86_400;

/** When a delivery is tried. */
export interface RetryPolicy {
  max_attempts: number;
  /** Seconds between one attempt and the next, the last of which repeats. The first attempt is at once. */
  schedule: number[];
}

/** About a day. */
const defaultRetry: Readonly<RetryPolicy> = {
  max_attempts: 9,
  schedule: [5, 30, 120, 600, 3_600, 10_800, 28_800, 43_200],
};

/** What a row says of it. @param row with `retry` as JSON; null for the default */
export function retryOf({ retry }: { retry: string | null }): RetryPolicy {
  return retry === null ? { ...defaultRetry, schedule: [...defaultRetry.schedule] } : (JSON.parse(retry) as RetryPolicy);
}

/** Makes a whole policy of what was asked for, either part of which may be missing. */
export function completeRetry({ max_attempts, schedule }: Partial<RetryPolicy>): RetryPolicy {
  if (schedule === undefined) return { max_attempts: max_attempts ?? defaultRetry.max_attempts, schedule: [...defaultRetry.schedule] };
  return { max_attempts: max_attempts ?? Math.min(ATTEMPTS_MAX, schedule.length + 1), schedule: [...schedule] };
}
