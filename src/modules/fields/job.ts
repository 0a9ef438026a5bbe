import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";

const FORGET_JOB = "fields.forget";
/** Who read the fields before one went has written by then. */
const WAIT_MS = 10_000;
/** Rows a transaction, so that nobody waits for housekeeping. */
const ROWS_MAX = 200;
/** Transactions a run, so that it ends well within its lease. */
const STEPS_MAX = 100;

type ValueKind = "txt" | "num";

interface Needs {
  forget(tx: Tx, env_id: number, field_id: string, kind: ValueKind, most: number): Promise<number>;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

interface Forgotten {
  env_id: number;
  field_id: string;
  kind: ValueKind;
}

/** Takes the values of fields that were deleted away from those who have them. */
export function forgetJob({ forget, write }: Needs): JobKind<Forgotten, boolean> {
  return {
    kind: FORGET_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    begin: (_tx, jobs) => jobs.map(({ payload }) => ({ ready: JSON.parse(payload) as Forgotten })),
    /** @returns whether nothing is left */
    async run({ env_id, field_id, kind }, signal) {
      for (let step = 0; step < STEPS_MAX && !signal.aborted; step++)
        if ((await write((tx) => forget(tx, env_id, field_id, kind, ROWS_MAX))) < ROWS_MAX) return true;
      return false;
    },
    end: (_tx, runs) => runs.map(({ result }) => (result ? { kind: "done" } : { kind: "snooze", ms: 0, reason: "more values" })),
  };
}

/** The job that takes a deleted field's values away. */
export function forgetting(forgotten: Forgotten, now: number): NewJob {
  const { env_id, field_id } = forgotten;
  const id = `${FORGET_JOB}.${field_id}`;
  return { env_id, id, kind: FORGET_JOB, lane: null, chat: null, run_at: now + WAIT_MS, payload: JSON.stringify(forgotten), eta: null };
}
