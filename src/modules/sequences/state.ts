import { toTime } from "#src/core/clock.ts";
import type { Enrollment, EnrollmentStatus } from "./model.ts";
import type { EnrollmentRow } from "./enrolled-sql.ts";

/** What the steps of an enrollment have left so far. Times are the environment's (ms). */
export interface State {
  /** The account that has written to the contact. */
  account_id?: number;
  /** The step that sent last, and whether anything was sent. */
  sent_step?: string;
  /** When the contact first wrote since they entered, and whether an answer to a message is counted. */
  replied_at?: number;
  has_answered?: boolean;
  converted_at?: number;
  /** Who has entered, where that is part of another contact by now. */
  entered_as?: string;
  /** Where it stood when its contact became part of one who is in the sequence, too; with `held_due_at` and `held_why`. */
  left?: Pick<EnrollmentRow, "status" | "step" | "waits_for">;
  /** While it is paused: when it would have gone on, in the environment's time (ms), and why not before. */
  held_due_at?: number;
  held_why?: string;
  /** Since when it waits for an event. */
  waits_since?: number;
  /** How often the engine could not do the step that is due, for a fault of ours. */
  faults?: number;
}

export const stateOf = (row: Pick<EnrollmentRow, "state">): State => JSON.parse(row.state) as State;

/** The only way from a row to what clients see. @param seen what the environment's clock shows at a real time */
export function presentEnrollment(row: EnrollmentRow, seen: (at: number) => number): Enrollment {
  const { account_id = null, replied_at = null, converted_at = null } = stateOf(row);
  return {
    id: row.id,
    sequence_id: row.sequence_id,
    version: row.version,
    contact_id: row.contact_id,
    status: row.status as EnrollmentStatus,
    step: row.step,
    next_at: toTime(row.due_at === null ? null : seen(row.due_at)),
    why: row.why,
    waits_for: row.waits_for,
    account_id,
    reason: row.reason,
    replied_at: toTime(replied_at),
    converted_at: toTime(converted_at),
    entered_at: toTime(row.entered_at),
    ended_at: toTime(row.ended_at),
    updated_at: toTime(row.updated_at),
  };
}
