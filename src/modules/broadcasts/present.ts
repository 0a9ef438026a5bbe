import { toTime } from "#src/core/clock.ts";
import type { Audience, Broadcast, BroadcastStatus, Plan, Recipient, RecipientStatus } from "./model.ts";
import { nextRuns, recurs } from "./recurring.ts";
import type { RecipientWithMessage } from "./recipients-sql.ts";
import type { BroadcastStateRow, BroadcastWithState } from "./store.ts";

export const planOf = ({ plan }: Pick<BroadcastWithState, "plan">): Plan => JSON.parse(plan) as Plan;

/** Recipients of which nothing has been made. */
export function waitingOf(row: Pick<BroadcastStateRow, "total" | "queued" | "sent" | "failed" | "skipped" | "canceled">): number {
  return row.total - row.queued - row.sent - row.failed - row.skipped - row.canceled;
}

export function presentBroadcast(row: BroadcastWithState): Broadcast {
  const { schedule, ...plan } = planOf(row);
  return {
    id: row.id,
    name: row.name,
    audience: JSON.parse(row.audience) as Audience,
    ...plan,
    schedule,
    metadata: JSON.parse(row.metadata) as Broadcast["metadata"],
    status: row.status as BroadcastStatus,
    reason: row.reason,
    counts: {
      total: row.total,
      waiting: waitingOf(row),
      queued: row.queued,
      sent: row.sent,
      failed: row.failed,
      skipped: row.skipped,
      canceled: row.canceled,
      replied: row.replied,
      clicked: row.clicked,
    },
    is_noted: row.is_noted === 1,
    job_id: row.job_id,
    parent_id: row.parent_id,
    winner: row.winner,
    // From the last change on, so that what is shown changes with that alone.
    next_runs: recurs(schedule) && row.ended_at === null ? nextRuns(schedule, row.updated_at) : [],
    starts_at: toTime(row.starts_at),
    started_at: toTime(row.started_at),
    ended_at: toTime(row.ended_at),
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}

export function presentRecipient(row: RecipientWithMessage): Recipient {
  return {
    contact_id: row.contact_id,
    status: row.status as RecipientStatus,
    variant: row.variant === "" ? null : row.variant,
    account_id: row.account_id,
    message_id: row.message_id,
    due_at: toTime(row.due_at),
    sent_at: toTime(row.sent_at),
    replied_at: toTime(row.replied_at),
    clicked_at: toTime(row.clicked_at),
    reason: row.reason ?? row.error_code,
  };
}
