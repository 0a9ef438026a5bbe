import type { Tried } from "./attempt.ts";
import type { Courier, Done, Item } from "./courier.ts";
import type { WebhookHourRow } from "./delivering-sql.ts";
import type { Attempt } from "./model.ts";
import { judge, type Verdict } from "./schedule.ts";

const HOUR_MS = 3_600_000;

/** What became of an item. */
export interface Outcome extends Done {
  verdict: Verdict;
}

export const isTest = (item: Item) => item.kind === "again" && item.row.is_test === 1;

/** Attempts of the schedule, this one included. */
export const triesOf = (item: Item) => (item.kind === "first" ? 1 : item.row.tries + 1);

export function verdictOf({ endpoint }: Courier, item: Item, tried: Tried | null, now: number, random: number): Verdict {
  if (tried === null) return { kind: "dead_letter" };
  const { last, retry_after_ms } = tried;
  const verdict = judge(endpoint.retry, triesOf(item), { ...last, retry_after_ms }, now, random);
  return isTest(item) && verdict.kind === "again" ? { kind: "dead_letter" } : verdict;
}

export function statusOf(item: Item, { kind }: Verdict): string {
  if (kind === "again") return "pending";
  if (kind === "delivered") return "delivered";
  return isTest(item) ? "failed" : "dead_letter";
}

/** What an attempt tells of the endpoint. A test that fails tells nothing: it may be a try at what was never there. */
export function learn({ state }: Courier, item: Item, secret: number | null, { kind }: Verdict, now: number): void {
  if (kind === "delivered") {
    state.failing_since = null;
    state.last_success_at = now;
    state.accepted = secret;
  } else if (!isTest(item)) state.failing_since ??= now;
}

/** As JSON: most attempts succeed, and what is in those but for the answer needs no escaping. */
export function writeAttempts(attempts: readonly Attempt[]): string {
  const [attempt, second] = attempts;
  if (attempt === undefined || second !== undefined || attempt.error !== null) return JSON.stringify(attempts);
  const { at, status, duration_ms, timestamp, signature, webhook_signature, response } = attempt;
  return `[{"at":${at},"status":${status},"duration_ms":${duration_ms},"stage":null,"error":null,"response":${JSON.stringify(response)},"timestamp":${timestamp},"signature":"${signature}","webhook_signature":"${webhook_signature}"}]`;
}

/** What attempts come to, by the hour in which they began. */
export function hoursOf(done: readonly Outcome[]): Omit<WebhookHourRow, "env_id" | "webhook_id">[] {
  const hours = new Map<number, Omit<WebhookHourRow, "env_id" | "webhook_id">>();
  for (const { tried, verdict, item } of done) {
    if (tried === null || isTest(item)) continue;
    for (const [at, attempt] of tried.attempts.entries()) {
      const begins = Math.floor(attempt.at / HOUR_MS) * HOUR_MS;
      const sum = hours.get(begins) ?? {
        ...{ hour: begins, attempts: 0, failures: 0, delivered: 0, dead_letters: 0, duration_ms: 0, duration_ms_max: 0 },
      };
      hours.set(begins, sum);
      const isLast = at === tried.attempts.length - 1;
      sum.attempts++;
      if (attempt.stage !== null) sum.failures++;
      if (isLast && verdict.kind === "delivered") sum.delivered++;
      if (isLast && (verdict.kind === "dead_letter" || verdict.kind === "gone")) sum.dead_letters++;
      sum.duration_ms += attempt.duration_ms;
      sum.duration_ms_max = Math.max(sum.duration_ms_max, attempt.duration_ms);
    }
  }
  return [...hours.values()];
}
