import type { Account } from "#src/modules/accounts/model.ts";
import type { Broadcast } from "#src/modules/broadcasts/model.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { Message, Person } from "#src/modules/messages/model.ts";
import type { Enrollment, SequenceNews } from "#src/modules/sequences/model.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import type { ThreadBrief } from "#src/modules/threads/model.ts";
import type { Workspace } from "#src/modules/workspaces/model.ts";

/** When everything in the examples has happened. */
export const AT = "2026-05-06T14:32:18.000Z";
export const contactId = "ct_01HKQ9R2X90000000000000000";

const sent: Message = {
  id: "msg_01HKQ9R2X30000000000000000",
  channel: "telegram_bot",
  account_id: 10_000,
  direction: "out",
  to: "@sarah_miller",
  sender: null,
  contact_id: contactId,
  thread_id: "th_01HKQ9R2XB0000000000000000",
  text: "Hey Sarah, your invite is ready",
  parse_mode: null,
  attachments: [],
  buttons: [],
  location: null,
  contact_card: null,
  album_id: null,
  start_payload: null,
  reactions: [],
  status: "sent",
  eta: AT,
  schedule_at: null,
  expires_at: null,
  silent: false,
  reply_to: null,
  error: null,
  last_error: null,
  attempts: [],
  metadata: { campaign: "spring" },
  created_at: AT,
  sent_at: AT,
  delivered_at: null,
  read_at: null,
  edited_at: null,
  origin: null,
  deleted_at: null,
  updated_at: AT,
};

export const thread: ThreadBrief = { id: "th_01HKQ9R2XB0000000000000000", topic_id: null, title: "Sarah Miller" };
export const person: Person = { telegram_id: 52_100_044, username: "sarah_miller", first_name: "Sarah", last_name: "Miller" };

export const message = (changes: Partial<Message>): Message => ({ ...sent, ...changes });

export const contact: Contact = {
  id: contactId,
  number: 17,
  external_id: "user_48151",
  telegram_id: 52_100_044,
  username: "sarah_miller",
  email: "sarah@example.com",
  phone: "+447700900123",
  name: "Sarah Miller",
  first_name: "Sarah",
  last_name: "Miller",
  language: "en",
  timezone: "Europe/London",
  consent: { status: "granted", at: AT, source: "signup form" },
  tags: ["vip"],
  fields: { plan: "starter" },
  metadata: {},
  last_seen_at: AT,
  created_at: AT,
  updated_at: AT,
};

export const account: Account = {
  id: 10_000,
  kind: "telegram_bot",
  name: "Acme",
  username: "acme_bot",
  telegram_id: 5_000_000_001,
  status: "connected",
  status_reason: null,
  paused: false,
  timezone: "UTC",
  daily_cap: null,
  phone: null,
  last_proof_at: AT,
  last_error: null,
  lane: { state: "free", held_until: null, reason: null },
  budget: null,
  restricted_until: null,
  new_peer_daily_cap: null,
  gap_seconds: null,
  quiet_hours: null,
  has_proxy: false,
  created_at: AT,
  updated_at: AT,
};

export const workspace: Workspace = {
  id: "ws_01HKQ9R2X10000000000000000",
  name: "Acme",
  plan: "professional",
  currency: "USD",
  on_unknown: "fail",
  created_at: AT,
  updated_at: AT,
};

export const task: Task = {
  id: "job_01HKQ9R2X40000000000000000",
  kind: "contacts.import",
  status: "done",
  progress: { done: 1_200, total: 1_200 },
  result: { created: 1_150, updated: 50, refused: 0 },
  error: null,
  created_at: AT,
  finished_at: AT,
};

export const sequence: SequenceNews["sequence"] = { id: "seq_01HKQ9R2XD0000000000000000", name: "Welcome", status: "active", version: 1 };

export const enrollment: Enrollment = {
  id: "enr_01HKQ9R2XE0000000000000000",
  sequence_id: sequence.id,
  version: 1,
  contact_id: contactId,
  status: "active",
  step: "reminder",
  next_at: "2026-05-09T09:00:00.000Z",
  why: "wait",
  waits_for: null,
  account_id: 10_000,
  reason: null,
  replied_at: null,
  converted_at: null,
  entered_at: AT,
  ended_at: null,
  updated_at: AT,
};

export const broadcast: Broadcast = {
  id: "bc_01HKQ9R2XC0000000000000000",
  name: "Spring news",
  audience: { tag: "customer" },
  message: { text: "Hi {first_name|there}, the spring release is out." },
  account_ids: [10_000],
  schedule: null,
  throttle: null,
  stop_at_failure_rate: null,
  ab_test: null,
  timezone: null,
  window: null,
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
