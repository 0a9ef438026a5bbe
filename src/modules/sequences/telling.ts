import type { Clock } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { EnrollmentRow, SequenceRow } from "./enrolled-sql.ts";
import type { SequenceNews, SequenceStatus, Step } from "./model.ts";
import { presentEnrollment } from "./state.ts";

interface Needs {
  clock: Clock;
  sequence(tx: Tx, env_id: number, id: string): Maybe<SequenceRow | undefined>;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
}

type Change = "sequence.started" | "sequence.paused" | "sequence.resumed" | "sequence.completed" | "sequence.exited";

/** Tells what happens to people in sequences; it is about the contact, and so part of what they have been through. */
export function createTelling({ clock, sequence, appendEvent }: Needs) {
  return {
    async changed(tx: Tx, type: Change, row: EnrollmentRow, actor: string): Promise<void> {
      const { id, name, status, version } = (await sequence(tx, row.env_id, row.sequence_id))!;
      const data: SequenceNews = {
        sequence: { id, name, status: status as SequenceStatus, version },
        enrollment: presentEnrollment(row, (at) => clock.seen(row.env_id, at)),
      };
      appendEvent(tx, row.env_id, { type, subject: row.contact_id, actor, data });
    },

    /** @param message_id of the message that the step has made */
    stepped(tx: Tx, row: EnrollmentRow, step: Step, message_id: string | null): void {
      const { env_id, id: enrollment_id, sequence_id, version, contact_id } = row;
      const data = { enrollment_id, sequence_id, version, contact_id, step: step.id, type: step.type, message_id };
      appendEvent(tx, env_id, { type: "sequence.step", subject: contact_id, actor: sequence_id, data });
    },

    /** What a `webhook` step tells. */
    asked(tx: Tx, row: EnrollmentRow, step: Extract<Step, { type: "webhook" }>, contact: object): void {
      const { env_id, id: enrollment_id, sequence_id, contact_id } = row;
      const data = { enrollment_id, sequence_id, step: step.id, contact, data: step.data ?? {} };
      appendEvent(tx, env_id, { type: "sequence.webhook", subject: contact_id, actor: sequence_id, data });
    },
  };
}

export type Telling = ReturnType<typeof createTelling>;
