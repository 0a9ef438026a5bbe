import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";
import type { MergeRow } from "./store.ts";
import type { MergeStore } from "./store.ts";

const MOVE_JOB = "merges.move";
/** Messages a transaction, so that nobody waits for the move of many. */
export const STEP_ROWS = 50;
/** Transactions a run, so that it ends well within its lease. */
const STEPS_MAX = 200;
/** Who looked whose an address is before the merge has written by then. */
const LATE_MS = 10_000;

interface Needs {
  store: MergeStore;
  /** The database's `write`. */
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

interface Move {
  env_id: number;
  merge_id: string;
}

/** Moves messages to whom they belong, as the merge is now: it can be begun from any state, and again. */
export function moveJob({ store, write }: Needs): JobKind<Move, boolean> {
  return {
    kind: MOVE_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    begin: (_tx, jobs) => jobs.map(({ payload }) => ({ ready: JSON.parse(payload) as Move })),
    /** @returns whether nothing is left */
    async run({ env_id, merge_id }, signal) {
      for (let step = 0; step < STEPS_MAX && !signal.aborted; step++)
        if (!(await write((tx) => moveSome(store, tx, env_id, merge_id)))) return true;
      return false;
    },
    end: (_tx, runs) => runs.map(({ result }) => (result ? { kind: "done" } : { kind: "snooze", ms: 0, reason: "more messages" })),
  };
}

/** Moves some messages of a merge the way that they have to go. @returns whether there may be more */
export async function moveSome(store: MergeStore, tx: Tx, env_id: number, merge_id: string): Promise<boolean> {
  const row = await store.lock(tx, env_id, merge_id);
  if (row === undefined) return false;
  const isBack = row.undone_at !== null;
  const moved = isBack ? await store.moveBack(tx, row, STEP_ROWS) : await store.moveOn(tx, row, STEP_ROWS);
  if (moved === STEP_ROWS) return true;
  if (row.moving === 1) await store.update(tx, { ...row, moving: 0 });
  // What came late has to go as far as the others went.
  const onward = isBack ? undefined : await store.active(tx, env_id, row.survivor_id);
  return onward === undefined ? false : moveSome(store, tx, env_id, onward.id);
}

/** The job that moves what a merge, or its undoing, has left. */
export function moving(row: MergeRow, now: number): NewJob {
  return job(row, row.undone_at === null ? "on" : "back", now);
}

/** The job that looks once more, for messages that were on their way into the database while the contacts were merged. */
export function looking(row: MergeRow, now: number): NewJob {
  return job(row, "late", now + LATE_MS);
}

function job({ env_id, id: merge_id }: MergeRow, name: string, run_at: number): NewJob {
  const id = `${MOVE_JOB}.${merge_id}.${name}`;
  return { env_id, id, kind: MOVE_JOB, lane: null, chat: null, run_at, payload: JSON.stringify({ env_id, merge_id }), eta: null };
}
