import type { BatchAnswer } from "#src/modules/messages/model.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import type { Broadcast, NewBroadcast, Preview, Recipient, Statistics } from "./model.ts";

const AT = "2026-05-06T14:32:18.000Z";

export const newBroadcastExample: NewBroadcast = {
  name: "Spring news",
  audience: { tag: "customer" },
  message: { text: "Hi {first_name|there}, the spring release is out." },
  account_ids: [7421],
};

export const broadcastExample: Broadcast = {
  id: "bc_01HKQ9R2X80000000000000000",
  ...newBroadcastExample,
  message: newBroadcastExample.message!,
  schedule: null,
  throttle: null,
  stop_at_failure_rate: { percent: 20, after: 50 },
  ab_test: null,
  timezone: null,
  window: { weekdays: ["mon", "tue", "wed", "thu", "fri"], from: "09:00", to: "18:00" },
  holidays: [],
  frequency_cap: null,
  track_links: false,
  metadata: {},
  status: "completed",
  reason: null,
  counts: { total: 120, waiting: 0, queued: 0, sent: 115, failed: 2, skipped: 3, canceled: 0, replied: 14, clicked: 0 },
  is_noted: true,
  job_id: "job_01HKQ9R2X80000000000000000",
  parent_id: null,
  winner: null,
  next_runs: [],
  starts_at: null,
  started_at: AT,
  ended_at: AT,
  created_at: AT,
  updated_at: AT,
};

export const recipientExample: Recipient = {
  contact_id: "ct_01HKQ9R2X80000000000000000",
  status: "sent",
  variant: null,
  account_id: 7421,
  message_id: "msg_01HKQ9R2X80000000000000000",
  due_at: null,
  sent_at: AT,
  replied_at: null,
  clicked_at: null,
  reason: null,
};

const totals = { entered: 117, sent: 115, failed: 2, skipped: 3, canceled: 0, replied: 14, clicked: 0 };

export const statisticsExample: Statistics = {
  broadcast_id: broadcastExample.id,
  status: "completed",
  totals,
  failed_by_code: { recipient_blocked: 2 },
  skipped_by_reason: { recipient_suppressed: 3 },
  variants: [{ variant: null, ...totals }],
  days: [{ date: "2026-05-06", variant: null, ...totals }],
};

export const previewExample: Preview = {
  contact_id: recipientExample.contact_id,
  text: "Hi Sarah, the spring release is out.",
  missing: [],
  account_id: 7421,
  reason: null,
};

export const testAnswerExample: BatchAnswer = {
  results: [{ index: 0, id: "msg_01HKQ9R2X80000000000000000", status: "queued", eta: AT }],
  accepted: 1,
  refused: 0,
};

export const dryRunExample: Task = {
  id: "job_01HKQ9R2X90000000000000000",
  kind: "broadcasts.dry_run",
  status: "queued",
  progress: { done: 0, total: null },
  result: null,
  error: null,
  created_at: AT,
  finished_at: null,
};
