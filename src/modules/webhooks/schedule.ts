import { parseHttpDate } from "#src/core/clock.ts";
import type { RetryPolicy } from "./retry-policy.ts";

/** What one attempt came to, as far as the schedule goes. */
export interface Answer {
  /** Null when no answer came. */
  status: number | null;
  /** Where the exchange broke off; null when the answer is complete. */
  stage: string | null;
}

interface AttemptResult extends Answer {
  /** What the answer asked to wait (ms). */
  retry_after_ms: number | null;
}

/** What becomes of a delivery after an attempt. */
export type Verdict = { kind: "delivered" } | { kind: "again"; at: number } | { kind: "dead_letter" } | { kind: "gone" };

const JITTER = 0.2;
/** A `Retry-After` counts for so much more than the schedule at most (ms). */
const PATIENCE_MS = 3_600_000;
const GONE = 410;

export function isSuccess({ status, stage }: Answer): boolean {
  return stage === null && status !== null && status >= 200 && status < 300;
}

/**
 * What becomes of a delivery: the delay before the next attempt is the schedule's, a fifth more or less, and a longer
 * `Retry-After` replaces it, up to an hour more.
 * @param tries attempts that were made, this one included
 * @param now when it ended (ms)
 * @param random 0 ≤ x < 1
 */
export function judge(policy: RetryPolicy, tries: number, result: AttemptResult, now: number, random: number): Verdict {
  if (isSuccess(result)) return { kind: "delivered" };
  if (result.stage === null && result.status === GONE) return { kind: "gone" };
  if (tries >= policy.max_attempts) return { kind: "dead_letter" };
  const plain = delayBefore(policy, tries) * 1_000;
  const delay = plain * (1 - JITTER + 2 * JITTER * random);
  const asked = Math.min(result.retry_after_ms ?? 0, plain + PATIENCE_MS);
  return { kind: "again", at: now + Math.round(Math.max(delay, asked)) };
}

/** Seconds; past the end of the schedule its last delay goes on. @param tries attempts that were made */
function delayBefore({ schedule }: RetryPolicy, tries: number): number {
  return schedule[Math.min(tries, schedule.length) - 1] ?? 0;
}

/**
 * A `Retry-After`: whole seconds or a date. https://www.rfc-editor.org/rfc/rfc9110#field.retry-after
 * @returns milliseconds from now; null when there is none that can be read
 */
export function readRetryAfter(value: string | undefined, now: number): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1_000;
  const at = parseHttpDate(value);
  return at === null ? null : Math.max(0, at - now);
}
