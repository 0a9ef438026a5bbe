import type { Generated } from "kysely";

/** A person, as far as is known. */
export interface ContactRow {
  /** Names it within the whole database, in the order of making: what the search index knows it by. */
  row: number;
  env_id: number;
  id: string;
  /** Unique within the environment, from 1 up: for people. */
  number: number;
  external_id: string | null;
  telegram_id: number | null;
  /** Lower case, without `@`. */
  username: string | null;
  /** Lower case. */
  email: string | null;
  /** E.164. */
  phone: string | null;
  name: string | null;
  first_name: string | null;
  last_name: string | null;
  /** The name folded, for lists in its order; empty without one. */
  sort_name: string;
  language: string | null;
  timezone: string | null;
  /** JSON. */
  consent: string | null;
  /** JSON list; `contact_tags` has them too, for looking up by tag. */
  tags: string;
  /** JSON object, by the fields' ids. */
  fields: string;
  metadata: string;
  last_seen_at: number | null;
  deleted_at: number | null;
  created_at: number;
  updated_at: number;
}

export type ContactTable = Omit<ContactRow, "row"> & { row: Generated<number> };

export interface ContactTagRow {
  env_id: number;
  tag: string;
  contact_row: number;
}

/** A custom field of the things of one kind. */
export interface FieldRow {
  env_id: number;
  id: string;
  object: string;
  key: string;
  label: string;
  type: string;
  /** JSON list; null where the type has none. */
  options: string | null;
  created_at: number;
  updated_at: number;
}

/** A value that a contact has in a custom field, for looking up: either a text or a number. Several choices are a row each. */
export interface ContactValueRow {
  env_id: number;
  field_id: string;
  /** Folded, and no more than its beginning. */
  txt: string | null;
  /** Of a date the days since 1970, of a boolean 0 or 1. */
  num: number | null;
  contact_row: number;
}

/** A filter that is kept under a name. */
export interface SegmentRow {
  env_id: number;
  id: string;
  object: string;
  name: string;
  description: string | null;
  /** JSON: the tree, with a field's id in place of its key. */
  filter: string;
  created_at: number;
  updated_at: number;
}

/** What gives points to contacts. */
export interface ScoreRuleRow {
  env_id: number;
  id: string;
  name: string;
  points: number;
  /** JSON. Names a custom field by its id. */
  condition: string;
  decay_days: number | null;
  enabled: number;
  created_at: number;
  updated_at: number;
}

export interface ScoreSettingsRow {
  env_id: number;
  /** JSON list of numbers, ascending. */
  thresholds: string;
  updated_at: number;
}

/** Points that a contact has got by a rule for events: of one day, or of all days where they don't fade. */
export interface ContactPointsRow {
  env_id: number;
  contact_row: number;
  rule_id: string;
  /** As the rule said at the time; 0 where they stay. */
  decay_days: number;
  /** Of the events, in UTC since 1970; 0 where they stay. */
  day: number;
  points: number;
  /** How many events. */
  count: number;
  last_at: number;
  /** From when on they count no more; null where they stay. */
  fades_at: number | null;
}

/** Numbers that an environment counts, such as its contacts. */
export interface TallyRow {
  env_id: number;
  name: string;
  value: number;
}

/** Somebody who must not be written to. Knows nothing of contacts, so that it outlives the erasure of one. */
export interface SuppressionRow {
  env_id: number;
  id: string;
  /** A family of channels such as `telegram`, or `*` for every one. */
  channel: string;
  /** In the normal form of the family's channels. */
  recipient: string;
  reason: string;
  note: string | null;
  actor: string;
  created_at: number;
}

/** A contact that was merged into another. Once its undoing is over, nothing but ids is kept. */
export interface MergeRow {
  env_id: number;
  id: string;
  survivor_id: string;
  merged_id: string;
  merged_number: number;
  actor: string;
  /** JSON: the survivor before and after; null once they are not needed. */
  snapshots: string | null;
  /** 1 while messages are on their way, in either direction. */
  moving: number;
  created_at: number;
  undone_at: number | null;
}

/** A message that a merge has moved to the survivor. */
export interface MergeMessageRow {
  env_id: number;
  merge_id: string;
  message_id: string;
}

/** A file that is imported, and for 30 days after. */
export interface ImportRow {
  env_id: number;
  id: string;
  /** The long job that imports it; null while it is received. */
  job_id: string | null;
  dry_run: number;
  undo_job_id: string | null;
  /** When the last of it arrived. */
  touched_at: number;
  /** When the job ended, in whatever way. */
  ended_at: number | null;
}

/** A part of a file, compressed (zstd); it is whole UTF-8 by itself. */
export interface ImportChunkRow {
  env_id: number;
  import_id: string;
  seq: number;
  data: Uint8Array;
}

/** A row of a file that was refused; nothing of what it held. */
export interface ImportFailureRow {
  env_id: number;
  import_id: string;
  line: number;
  code: string;
  field: string | null;
  message: string;
}

/** What a step of an import did: the numbers of those whom it made, or a contact that it changed. */
export interface ImportChangeRow {
  env_id: number;
  import_id: string;
  seq: number;
  first_number: number | null;
  last_number: number | null;
  contact_id: string | null;
  written_at: number;
  /** JSON: the changed columns before and after; null for a contact that the same import had made. */
  data: string | null;
}
