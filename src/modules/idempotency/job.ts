import { type Clock, toTime } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";

const PURGE_JOB = "idempotency.purge";
/** Rows a transaction, so that nobody waits for housekeeping. */
const ROWS_MAX = 200;

interface Needs {
  purge(tx: Tx, now: number, most: number): Promise<number>;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
  clock: Clock;
}

/** Removes kept answers whose 24 hours are over. */
export function purgeJob({ purge, write, clock }: Needs): JobKind {
  return {
    kind: PURGE_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    begin: (_tx, jobs) => jobs.map(() => ({ ready: null })),
    async run(_ready, signal) {
      while (!signal.aborted && (await write((tx) => purge(tx, clock.now(), ROWS_MAX))) === ROWS_MAX);
    },
    end: (_tx, runs) => runs.map(() => ({ kind: "done" })),
  };
}

/** The job of one hour: the same on every copy, so that one of them does it. Belongs to no environment. */
export function purgeAt(now: number): NewJob {
  const hour = toTime(now).slice(0, 13);
  return { env_id: 0, id: `${PURGE_JOB}.${hour}`, kind: PURGE_JOB, lane: null, chat: null, run_at: now, payload: "", eta: null };
}
