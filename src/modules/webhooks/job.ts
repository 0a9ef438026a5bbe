import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";

const FORGET_JOB = "webhooks.forget";
/** What was on the wire has been recorded by then. */
const WAIT_MS = 30_000;
/** Rows a transaction, so that nobody waits for housekeeping. */
const ROWS_MAX = 100;
/** Transactions a run, so that it ends well within its lease. */
const STEPS_MAX = 100;

interface Needs {
  forget(tx: Tx, env_id: number, webhook_id: string, most: number): Promise<boolean>;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

interface Forgotten {
  env_id: number;
  webhook_id: string;
}

/** Takes away what deleted endpoints have left. */
export function forgetJob({ forget, write }: Needs): JobKind<Forgotten, boolean> {
  return {
    kind: FORGET_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    begin: (_tx, jobs) => jobs.map(({ payload }) => ({ ready: JSON.parse(payload) as Forgotten })),
    /** @returns whether nothing is left */
    async run({ env_id, webhook_id }, signal) {
      for (let step = 0; step < STEPS_MAX && !signal.aborted; step++)
        if (await write((tx) => forget(tx, env_id, webhook_id, ROWS_MAX))) return true;
      return false;
    },
    end: (_tx, runs) => runs.map(({ result }) => (result ? { kind: "done" } : { kind: "snooze", ms: 0, reason: "more deliveries" })),
  };
}

/** The job that takes away what a deleted endpoint has left. */
export function forgetting(forgotten: Forgotten, now: number): NewJob {
  const { env_id, webhook_id } = forgotten;
  const id = `${FORGET_JOB}.${webhook_id}`;
  return { env_id, id, kind: FORGET_JOB, lane: null, chat: null, run_at: now + WAIT_MS, payload: JSON.stringify(forgotten), eta: null };
}
