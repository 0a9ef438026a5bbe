/** A message to many, as it was asked for. What comes of it stands in `broadcast_states`. */
export interface BroadcastRow {
  env_id: number;
  id: string;
  name: string;
  /** JSON: whom it is for. */
  audience: string;
  /** JSON: what is sent, from whom, and when. */
  plan: string;
  metadata: string;
  /** The recurring one that has made it. */
  parent_id: string | null;
  actor: string;
  created_at: number;
}

/** How far a broadcast is. Narrow, since every outcome of a message changes it. */
export interface BroadcastStateRow {
  env_id: number;
  broadcast_id: string;
  /** `draft`, `scheduled`, `running`, `paused`, `completed`, `canceled` or `stopped`. */
  status: string;
  /** Why it was stopped. */
  reason: string | null;
  /** When there is something to do, in real time (ms); null when there is nothing until something happens. */
  due_at: number | null;
  /** When a throttled one may make its next message, in the time of its environment (ms). */
  slot_at: number;
  /** The long job that notes its recipients. */
  job_id: string | null;
  /** Whether all of them are noted. */
  is_noted: number;
  /** When the sample of an A/B test is looked at, in the time of its environment (ms). */
  sample_ends_at: number | null;
  /** The variant that those get who were in no sample. */
  winner: string | null;
  /** Recipients that are noted, and of those: */
  total: number;
  /** with a message that has not ended, */
  queued: number;
  sent: number;
  failed: number;
  skipped: number;
  canceled: number;
  /** and who answered within the time in which that counts, */
  replied: number;
  /** and who opened a link, where links are tracked. */
  clicked: number;
  /** When it stops by itself: at so many failures of a hundred, after so many messages. */
  stop_percent: number | null;
  stop_after: number | null;
  /** When it begins; of a recurring one its next run. */
  starts_at: number | null;
  started_at: number | null;
  ended_at: number | null;
  updated_at: number;
}

/** A contact that a broadcast is for. */
export interface BroadcastRecipientRow {
  env_id: number;
  broadcast_id: string;
  contact_id: string;
  /** `held` (until a variant has won), `waiting`, `queued`, `sent`, `failed`, `skipped` or `canceled`. */
  status: string;
  /** Of an A/B test; empty without one. */
  variant: string;
  /** Of one that waits, in the time of its environment (ms). */
  due_at: number | null;
  account_id: number | null;
  message_id: string | null;
  /** Why it was skipped, or waits longer: a stable code. */
  reason: string | null;
  /** When they first answered. */
  replied_at: number | null;
  /** When they first opened a link. */
  clicked_at: number | null;
}

/** A link in a message of a broadcast, which goes by way of us. */
export interface TrackedLinkRow {
  /** The end of its address, which nobody can guess. */
  token: string;
  env_id: number;
  broadcast_id: string;
  contact_id: string;
  variant: string;
  /** Where it leads. */
  address: string;
  /** When it was first opened. */
  clicked_at: number | null;
  created_at: number;
}
