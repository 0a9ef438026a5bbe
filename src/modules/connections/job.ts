import { type Clock, toTime } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";

const PURGE_JOB = "connections.purge";
/** Telegram repeats an update that nobody takes for a day. https://core.telegram.org/bots/api#getting-updates */
const KEPT_MS = 2 * 86_400_000;
/** Rows a transaction, so that nobody waits for housekeeping. */
const ROWS_MAX = 200;

interface Needs {
  /** Removes updates that were taken before a time, at most so many. @returns how many */
  forget(tx: Tx, before: number, most: number): Promise<number>;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
  clock: Clock;
}

/** Forgets which updates have come by webhook, once Telegram can't repeat them any more. */
export function purgeJob({ forget, write, clock }: Needs): JobKind {
  return {
    kind: PURGE_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    begin: (_tx, jobs) => jobs.map(() => ({ ready: null })),
    async run(_ready, signal) {
      const before = clock.now() - KEPT_MS;
      while (!signal.aborted && (await write((tx) => forget(tx, before, ROWS_MAX))) === ROWS_MAX);
    },
    end: (_tx, runs) => runs.map(() => ({ kind: "done" })),
  };
}

/** The job of one hour: the same on every copy, so that one of them does it. Belongs to no environment. */
export function purgeUpdatesAt(now: number): NewJob {
  const hour = toTime(now).slice(0, 13);
  return { env_id: 0, id: `${PURGE_JOB}.${hour}`, kind: PURGE_JOB, lane: null, chat: null, run_at: now, payload: "", eta: null };
}
