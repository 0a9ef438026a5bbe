/** The time of a test environment that was moved ahead. */
export interface ClockRow {
  env_id: number;
  /** By how much it is ahead of real time (ms); it only grows. */
  offset_ms: number;
  /** The long job that moved it last. */
  job_id: string | null;
  updated_at: number;
}
