/** When a delivery that failed is tried again. */
export interface RetryPolicy {
  max_attempts: number;
  /** Seconds before each attempt, the first one's included. */
  schedule: readonly number[];
}

/** About a day in all. */
export const defaultRetry: RetryPolicy = { max_attempts: 9, schedule: [0, 5, 30, 120, 600, 3_600, 10_800, 28_800, 43_200] };
