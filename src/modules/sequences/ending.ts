import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { EnrollmentRow, EnrollmentStore } from "./enrolled-sql.ts";
import type { Tally } from "./tally.ts";
import type { Telling } from "./telling.ts";

/** How an enrollment ends, and why: a stable code. */
export interface End {
  status: "completed" | "exited" | "failed";
  reason: string;
  /** What it has made and still waits in a queue does not leave any more. */
  takesBack?: true;
}

const countedAs = { completed: "completed", exited: "exited", failed: "ended_failed" } as const;

interface Needs {
  store: Pick<EnrollmentStore, "update" | "unsent">;
  clock: Clock;
  telling: Telling;
  /** Takes a queued message back. @returns false where it is no longer queued */
  takeBack(tx: Tx, env_id: number, message_id: string): Promise<boolean>;
}

/** Ends enrollments: in the engine, by what happens to their contacts, and by request. */
export function createEnding({ store, clock, telling, takeBack }: Needs) {
  return async (tx: Tx, row: EnrollmentRow, { status, reason, takesBack }: End, actor: string, tally: Tally): Promise<EnrollmentRow> => {
    if (takesBack === true) for (const id of await store.unsent(tx, row)) await takeBack(tx, row.env_id, id);
    const now = clock.now(row.env_id);
    tally.add(row.env_id, row.sequence_id, status === "completed" ? "" : (row.step ?? ""), countedAs[status], now);
    const ended: EnrollmentRow = {
      ...row,
      ...{ status, reason, step: null, due_at: null, why: "ended", waits_for: null, ended_at: now, updated_at: now },
    };
    store.update(tx, ended);
    await telling.changed(tx, status === "completed" ? "sequence.completed" : "sequence.exited", ended, actor);
    return ended;
  };
}

export type Ending = ReturnType<typeof createEnding>;
