import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { Ending } from "./ending.ts";
import type { EnrollmentRow, EnrollmentStore } from "./enrolled-sql.ts";
import { stateOf } from "./state.ts";
import type { Tally } from "./tally.ts";
import type { Telling } from "./telling.ts";

interface Needs {
  store: EnrollmentStore;
  clock: Clock;
  /** A contact, or who it is part of by now; undefined where there is none. */
  find(tx: Tx, env_id: number, contact_id: string): Promise<Contact | undefined>;
  end: Ending;
  telling: Telling;
  /** Something may be due now. */
  wake(): void;
}

export type Owning = ReturnType<typeof createOwning>;

/** Whose enrollments are, when two contacts become one, and two again. Who has entered is kept, and whom to lead on follows from that. */
export function createOwning({ store, clock, find, end, telling, wake }: Needs) {
  const ownerOf = (tx: Tx, row: EnrollmentRow) => find(tx, row.env_id, stateOf(row).entered_as ?? row.contact_id);

  /** With where it stands in its state, as that of who is paused: for the case that the two are parted again. */
  function resting(row: EnrollmentRow): EnrollmentRow {
    const {
      held_due_at = row.due_at === null ? undefined : clock.seen(row.env_id, row.due_at),
      held_why = row.why,
      ...state
    } = stateOf(row);
    const left = { status: row.status, step: row.step, waits_for: row.waits_for };
    return { ...row, state: JSON.stringify({ ...state, held_due_at, held_why, left }) };
  }

  /**
   * Gives an enrollment to whom it belongs by now, without writing it down.
   * @returns null where it has ended, since they are gone, or in the sequence already
   */
  async function give(tx: Tx, row: EnrollmentRow, tally: Tally): Promise<{ row: EnrollmentRow; owner: Contact } | null> {
    const { env_id, sequence_id } = row;
    const owner = await ownerOf(tx, row);
    if (owner === undefined) {
      await end(tx, row, { status: "exited", reason: "contact_gone" }, sequence_id, tally);
      return null;
    }
    if (owner.id === row.contact_id) return { row, owner };
    const others = await store.openOf(tx, env_id, [owner.id]);
    if (others.some((other) => other.sequence_id === sequence_id)) {
      await end(tx, resting(row), { status: "exited", reason: "contact_merged" }, sequence_id, tally);
      return null;
    }
    const { entered_as = row.contact_id, ...state } = stateOf(row);
    const kept = owner.id === entered_as ? state : { ...state, entered_as };
    return { row: { ...row, contact_id: owner.id, state: JSON.stringify(kept) }, owner };
  }

  /** One that ended when its contact became part of another goes on where it was. */
  async function goBack(tx: Tx, row: EnrollmentRow, tally: Tally): Promise<void> {
    const { env_id, sequence_id, contact_id } = row;
    const { left, held_due_at, held_why = "due", ...state } = stateOf(row);
    const sequence = await store.held(tx, env_id, sequence_id);
    const last = await store.last(tx, env_id, contact_id, sequence_id);
    if (left === undefined || last?.id !== row.id || sequence?.status === "archived") return;
    if ((await ownerOf(tx, row))?.id !== contact_id) return;
    const now = clock.now(env_id);
    const isPaused = left.status === "paused";
    const isHeld = isPaused || sequence?.status === "paused";
    const after: EnrollmentRow = {
      ...{ ...row, ...left, reason: null, ended_at: null, updated_at: now },
      due_at: isHeld ? null : clock.real(env_id, Math.max(now, held_due_at ?? now)),
      why: isPaused ? "paused" : isHeld ? "sequence_paused" : held_why,
      state: JSON.stringify(isHeld ? { ...state, held_due_at, held_why } : state),
    };
    store.update(tx, after);
    // It has left no more, on the day on which that was counted.
    tally.add(env_id, sequence_id, left.step ?? "", "exited", row.ended_at!, -1);
    await telling.changed(tx, "sequence.resumed", after, sequence_id);
    tx.afterCommit(wake);
  }

  async function settle(tx: Tx, env_id: number, contact_id: string, tally: Tally): Promise<void> {
    for (const row of await store.openOf(tx, env_id, [contact_id])) {
      const given = await give(tx, row, tally);
      if (given !== null && given.row !== row) store.update(tx, { ...given.row, updated_at: clock.now(env_id) });
    }
  }

  return {
    give,
    /** What a contact was in is the survivor's now; who would be in a sequence twice leaves it once. */
    merged: settle,
    /** What they were in ahead of a merge is theirs again, and what they left for it goes on. */
    async parted(tx: Tx, env_id: number, contact_id: string, tally: Tally): Promise<void> {
      await settle(tx, env_id, contact_id, tally);
      for (const row of await store.endedBy(tx, env_id, contact_id, "contact_merged")) await goBack(tx, row, tally);
    },
  };
}
