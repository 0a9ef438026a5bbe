/** An endpoint: where events of an environment are sent. */
export interface WebhookRow {
  env_id: number;
  id: string;
  url: string;
  /** JSON list of event names, `*` for all. */
  events: string;
  /** JSON: the condition on the payload. */
  filter: string | null;
  description: string | null;
  /** JSON object, sealed by core/cipher for `webhook:<env>:<id>:headers`; null without any. */
  headers: string | null;
  /** JSON list of secrets, newest first, sealed for `webhook:<env>:<id>`. */
  secrets: string;
  /** JSON: `{header, format}` of the signature; null for the default. */
  signature: string | null;
  /** JSON: `{max_attempts, schedule}`; null for the default. */
  retry: string | null;
  paused: number;
  disabled_at: number | null;
  /** Why it was disabled: `gone`, `failing`. */
  disabled_reason: string | null;
  deleted_at: number | null;
  created_at: number;
  updated_at: number;
}

/** What delivering keeps of an endpoint: narrow, since it is written with nearly every batch. */
export interface WebhookStateRow {
  env_id: number;
  webhook_id: string;
  /** The place in the event log up to which every event is accounted for: delivered, being retried, or not asked for. */
  tx_id: number;
  seq: number;
  /** Since when every attempt has failed; null when the last one did not. */
  failing_since: number | null;
  last_success_at: number | null;
  /** Number of the secret that the receiver last accepted. */
  accepted: number | null;
}

/** One event for one endpoint, from its first attempt on. What still waits for that has no row. */
export interface DeliveryRow {
  env_id: number;
  /** Made of event and endpoint, so that there is one row for the two. */
  id: string;
  webhook_id: string;
  event_id: string;
  event_type: string;
  status: string;
  /** Attempts of the schedule that have been made since the first or the last replay. */
  tries: number;
  next_attempt_at: number | null;
  /** HTTP status of the last answer. */
  response_status: number | null;
  is_test: number;
  replayed_at: number | null;
  created_at: number;
  updated_at: number;
  /** The payload of a test event, which is in no log. */
  body: string | null;
  /** JSON list, oldest first. Last, since it can be long. */
  attempts: string;
}

/** What came of the attempts of one hour. */
export interface WebhookHourRow {
  env_id: number;
  webhook_id: string;
  /** The hour's beginning (ms). */
  hour: number;
  attempts: number;
  failures: number;
  delivered: number;
  dead_letters: number;
  /** Of all its attempts together. */
  duration_ms: number;
  duration_ms_max: number;
}
