import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Ending } from "./ending.ts";
import type { EnrollmentStore } from "./enrolled-sql.ts";
import type { Programs } from "./program.ts";
import { stateOf } from "./state.ts";
import { createTally } from "./tally.ts";

interface Needs {
  store: EnrollmentStore;
  clock: Clock;
  programs: Programs;
  end: Ending;
}

/**
 * Contacts have written: in the transaction in which their messages land, so that nothing leaves after an answer has come.
 * Who waits for just that goes on; others leave, where the sequence says so.
 */
export function createReplies({ store, clock, programs, end }: Needs) {
  return async (tx: Tx, env_id: number, contact_ids: readonly string[]): Promise<void> => {
    if (contact_ids.length === 0) return;
    const rows = await store.openOf(tx, env_id, contact_ids);
    if (rows.length === 0) return;
    const now = clock.now(env_id);
    const tally = createTally(store);
    for (const row of rows) {
      const state = stateOf(row);
      // Who writes ahead of the first message has written, but answers nothing.
      const isAnswer = state.sent_step !== undefined && state.has_answered !== true;
      if (isAnswer) tally.add(env_id, row.sequence_id, state.sent_step!, "replied", now);
      const changed = { ...state, replied_at: state.replied_at ?? now, ...(isAnswer ? { has_answered: true } : {}) };
      const after = { ...row, state: JSON.stringify(changed), updated_at: now };
      const { exit_on } = await programs(tx, env_id, row.sequence_id, row.version);
      if (exit_on.reply && row.waits_for !== "message.received")
        await end(tx, after, { status: "exited", reason: "replied", takesBack: true }, row.sequence_id, tally);
      else store.update(tx, after);
    }
    tally.write(tx);
  };
}
