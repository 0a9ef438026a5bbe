export interface SequenceRow {
  env_id: number;
  id: string;
  name: string;
  status: string;
  /** The newest. */
  version: number;
  /** JSON. */
  metadata: string;
  created_at: number;
  updated_at: number;
}

/** Every definition that a sequence has had, the present one too. */
export interface SequenceVersionRow {
  env_id: number;
  sequence_id: string;
  version: number;
  /** JSON. */
  definition: string;
  actor: string;
  created_at: number;
}

/** A person in a sequence, or one who was. */
export interface EnrollmentRow {
  env_id: number;
  id: string;
  sequence_id: string;
  version: number;
  contact_id: string;
  /** `active`, `paused`, `completed`, `exited` or `failed`. */
  status: string;
  /** The one that comes next; null when it has ended. */
  step: string | null;
  /** When it goes on, in real time (ms); null when it does not by itself. */
  due_at: number | null;
  /** Why it goes on no earlier: a stable code. */
  why: string;
  /** The type of the event that it waits for. */
  waits_for: string | null;
  /** JSON: what the steps so far have left. */
  state: string;
  actor: string;
  /** Why it has ended, or is paused. */
  reason: string | null;
  entered_at: number;
  ended_at: number | null;
  updated_at: number;
}

/** Up to where sequences have heeded the event log of an environment. */
export interface SequencePlaceRow {
  env_id: number;
  tx_id: number;
  seq: number;
}

/** How often something has happened in a step on a day (`2026-05-06`, in UTC). */
export interface AutomationCountRow {
  env_id: number;
  /** A sequence or a broadcast. */
  subject_id: string;
  day: string;
  /** Empty where it is about the whole. */
  step: string;
  what: string;
  n: number;
}
