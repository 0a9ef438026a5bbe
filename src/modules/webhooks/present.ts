import { type Clock, toTime } from "#src/core/clock.ts";
import { hidden, signatureOf } from "./headers.ts";
import type { Delivery, DeliveryStatus } from "./delivery-model.ts";
import type { Webhook, WebhookStatus } from "./model.ts";
import { retryOf } from "./retry-policy.ts";
import type { DeliverySummary } from "./deliveries-sql.ts";
import type { WebhookWithState } from "./store.ts";

/** @param headers those of one's own, opened: of them the names are shown */
export function presentWebhook(row: WebhookWithState, headers: Readonly<Record<string, string>>): Webhook {
  return {
    id: row.id,
    url: row.url,
    events: JSON.parse(row.events) as string[],
    description: row.description,
    filter: row.filter === null ? null : (JSON.parse(row.filter) as object),
    headers: hidden(headers),
    retry: retryOf(row),
    signature: signatureOf(row),
    paused: row.paused === 1,
    status: statusOf(row),
    status_reason: row.disabled_at === null ? null : row.disabled_reason,
    failing_since: toTime(row.failing_since),
    last_success_at: toTime(row.last_success_at),
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}

export function statusOf({ paused, disabled_at }: Pick<WebhookWithState, "paused" | "disabled_at">): WebhookStatus {
  if (disabled_at !== null) return "disabled";
  return paused === 1 ? "paused" : "enabled";
}

/** An endpoint without what its deliveries change by themselves: what an ETag stands for. */
export function withoutUse({ failing_since: _since, last_success_at: _at, ...settings }: Webhook): object {
  return settings;
}

/** @param clock by which the next attempt is due in real time */
export function presentDelivery(row: DeliverySummary, clock: Pick<Clock, "seen">): Delivery {
  return {
    id: row.id,
    webhook_id: row.webhook_id,
    event_id: row.event_id,
    event: row.event_type,
    status: row.status as DeliveryStatus,
    tries: row.tries,
    next_attempt_at: row.next_attempt_at === null ? null : toTime(clock.seen(row.env_id, row.next_attempt_at)),
    response_status: row.response_status,
    test: row.is_test === 1,
    replayed_at: toTime(row.replayed_at),
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}
