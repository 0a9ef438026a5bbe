import type { Generated } from "kysely";
import type { ConnectionRow, FileRow, PeerRow, ThreadNoteRow, ThreadRow, UpdateRow } from "./schema-inbox.ts";
import type { AccountDayRow, AccountRow, ChatRow } from "./schema-accounts.ts";
import type { BroadcastRecipientRow, BroadcastRow, BroadcastStateRow, TrackedLinkRow } from "./schema-broadcasts.ts";
import type {
  ContactPointsRow,
  ContactTable,
  ContactTagRow,
  ContactValueRow,
  FieldRow,
  ImportChangeRow,
  ImportChunkRow,
  ImportFailureRow,
  ImportRow,
  MergeMessageRow,
  MergeRow,
  ScoreRuleRow,
  ScoreSettingsRow,
  SegmentRow,
  SuppressionRow,
  TallyRow,
} from "./schema-people.ts";
import type { AutomationCountRow, EnrollmentRow, SequencePlaceRow, SequenceRow, SequenceVersionRow } from "./schema-sequences.ts";
import type { ClockRow } from "./schema-clocks.ts";
import type { TemplateRow, TemplateVersionRow } from "./schema-templates.ts";
import type { DeliveryRow, WebhookHourRow, WebhookRow, WebhookStateRow } from "./schema-webhooks.ts";

/**
 * The rows, the same on both engines: times are integer milliseconds, booleans 0 and 1, JSON is text.
 * `env_id` comes first in every tenant table's key.
 */
export interface Schema {
  workspaces: WorkspaceRow;
  environments: EnvironmentRow;
  keys: KeyRow;
  accounts: AccountRow;
  account_days: AccountDayRow;
  chats: ChatRow;
  messages: MessageRow;
  jobs: JobRow;
  lanes: LaneRow;
  events: EventTable;
  idempotency: IdempotencyRow;
  counters: CounterRow;
  contacts: ContactTable;
  contact_tags: ContactTagRow;
  contact_values: ContactValueRow;
  fields: FieldRow;
  merges: MergeRow;
  merge_messages: MergeMessageRow;
  score_rules: ScoreRuleRow;
  score_settings: ScoreSettingsRow;
  contact_points: ContactPointsRow;
  segments: SegmentRow;
  imports: ImportRow;
  import_chunks: ImportChunkRow;
  import_failures: ImportFailureRow;
  import_changes: ImportChangeRow;
  tallies: TallyRow;
  suppressions: SuppressionRow;
  audit: AuditRow;
  tasks: TaskRow;
  templates: TemplateRow;
  template_versions: TemplateVersionRow;
  webhooks: WebhookRow;
  webhook_states: WebhookStateRow;
  deliveries: DeliveryRow;
  webhook_hours: WebhookHourRow;
  threads: ThreadRow;
  thread_notes: ThreadNoteRow;
  connections: ConnectionRow;
  peers: PeerRow;
  updates: UpdateRow;
  files: FileRow;
  clocks: ClockRow;
  sequences: SequenceRow;
  sequence_versions: SequenceVersionRow;
  enrollments: EnrollmentRow;
  sequence_places: SequencePlaceRow;
  automation_counts: AutomationCountRow;
  broadcasts: BroadcastRow;
  broadcast_states: BroadcastStateRow;
  broadcast_recipients: BroadcastRecipientRow;
  tracked_links: TrackedLinkRow;
}

export interface WorkspaceRow {
  id: number;
  public_id: string;
  name: string;
  plan: string | null;
  currency: string;
  on_unknown: string;
  created_at: number;
  updated_at: number;
}

/** Numbers that are handed out once over all environments, such as account ids. */
interface CounterRow {
  name: string;
  value: number;
}

export interface EnvironmentRow {
  id: number;
  public_id: string;
  workspace_id: number;
  name: string;
  mode: string;
  /** 1 where a person's own STOP is an opt-out. */
  opt_out_replies: number;
  created_at: number;
  updated_at: number;
}

export interface KeyRow {
  env_id: number;
  id: string;
  /** SHA-256 of the key, hex. */
  hash: string;
  hint: string;
  name: string;
  scopes: string;
  account_ids: string | null;
  source_addresses: string | null;
  rate_limit: number | null;
  require_idempotency: number;
  expires_at: number | null;
  revoked_at: number | null;
  last_used_at: number | null;
  created_at: number;
  updated_at: number;
}

export interface MessageRow {
  env_id: number;
  id: string;
  channel: string;
  account_id: number | null;
  direction: string;
  recipient: string;
  contact_id: string | null;
  thread_id: string | null;
  text: string;
  status: string;
  eta: number | null;
  schedule_at: number | null;
  expires_at: number | null;
  silent: number;
  reply_to: string | null;
  metadata: string;
  error_code: string | null;
  error_message: string | null;
  error_link: string | null;
  last_error: string | null;
  /** JSON list of what each try gave, newest last. */
  attempts: string;
  /** The channel's own id of the message. */
  remote_id: string | null;
  /** Day of the account's cap on which it counts, when it counts. */
  cap_day: string | null;
  /** JSON: who wrote a received message; null of one that was sent. */
  sender: string | null;
  /** Where a received message was written, within the account; null of one that was sent. */
  chat_id: string | null;
  /** JSON: what it holds beside its text; null without any. */
  content: string | null;
  /** What made it, where that was no request for it. */
  origin: string | null;
  edited_at: number | null;
  deleted_at: number | null;
  created_at: number;
  sent_at: number | null;
  delivered_at: number | null;
  read_at: number | null;
  updated_at: number;
}

export interface JobRow {
  env_id: number;
  id: string;
  kind: string;
  lane: string | null;
  /** Within a lane, jobs of one chat run one after another. */
  chat: string | null;
  run_at: number;
  /** 0 waits, 1 runs. */
  running: number;
  attempts: number;
  payload: string;
  eta: number | null;
  /** Only for running jobs without a lane: when another copy may take it over. */
  lease_until: number | null;
}

export interface LaneRow {
  env_id: number;
  lane: string;
  paused: number;
  held_until: number | null;
  hold_reason: string | null;
  owner: string | null;
  lease_until: number | null;
  /** Grows with each change of owner, for whoever looks for what happened. */
  fence: number;
}

export interface EventRow {
  env_id: number;
  /** The writing transaction on PostgreSQL, 0 on SQLite: with `seq` the order of commits. */
  tx_id: number;
  seq: number;
  id: string;
  type: string;
  subject: string;
  actor: string;
  data: string;
  created_at: number;
}

type EventTable = Omit<EventRow, "tx_id" | "seq"> & { tx_id: Generated<number>; seq: Generated<number> };

export interface IdempotencyRow {
  env_id: number;
  operation: string;
  key: string;
  fingerprint: string;
  /** HTTP status of the answer; null while a request that must ask the outside first is under way. */
  status: number | null;
  /** Sealed by core/cipher when the answer holds a secret. */
  body: string | null;
  sealed: number;
  created_at: number;
  /** null: as long as the message is kept. */
  expires_at: number | null;
}

export interface AuditRow {
  env_id: number;
  id: string;
  actor: string;
  operation: string;
  subject: string;
  before: string | null;
  after: string | null;
  created_at: number;
}

/** A long job, of which `jobs` holds the next run. */
export interface TaskRow {
  env_id: number;
  id: string;
  kind: string;
  /** Scopes, one of which reads it; the second changes it too. */
  read_scope: string;
  write_scope: string;
  params: string;
  /** Where it stands between two steps, as its kind likes; null before the first. */
  state: string | null;
  /** Steps that are recorded: who has prepared one on an older state is too late with it. */
  steps: number;
  /** Tries of the next step that have failed. */
  failures: number;
  status: string;
  done: number;
  total: number | null;
  result: string | null;
  error_code: string | null;
  error_message: string | null;
  created_at: number;
  finished_at: number | null;
  updated_at: number;
}

export type { AccountRow, ChatRow } from "./schema-accounts.ts";
