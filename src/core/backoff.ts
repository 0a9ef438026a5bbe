/**
 * Exponential backoff with full jitter on its upper half.
 * @param attempt 1 for the first retry
 * @param baseMs delay of the first retry
 * @param maxMs ceiling
 * @param random 0 ≤ x < 1
 * @returns milliseconds to wait
 */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, random: () => number = Math.random): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(30, attempt - 1));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
