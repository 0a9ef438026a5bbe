import { type Clock, toTime } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";

const PURGE_JOB = "events.purge";
const DAY_MS = 86_400_000;
/** Rows a transaction, so that nobody waits for housekeeping. */
const ROWS_MAX = 200;
/** Transactions a run, so that it ends well within its lease. */
const STEPS_MAX = 500;

/** Removes rows of an environment from before a time (ms), at most so many. @returns how many */
type Purge = (tx: Tx, env_id: number, before: number, most: number) => Promise<number>;

interface Needs {
  environments(): Promise<readonly number[]>;
  /** Of events and of what goes with them, one after another. */
  purges: readonly Purge[];
  keptDays: number;
  clock: Clock;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
  /** Resolves when long work may write. */
  calm(): Promise<void>;
}

/** Removes events whose time is over, in all environments, and what was delivered of them. */
export function eventPurgeJob({ environments, purges, keptDays, clock, write, calm }: Needs): JobKind<null, boolean> {
  return {
    kind: PURGE_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    begin: (_tx, jobs) => jobs.map(() => ({ ready: null })),
    /** @returns whether nothing is left */
    async run(_nothing, signal) {
      const before = clock.now() - keptDays * DAY_MS;
      let steps = 0;
      for (const env_id of await environments())
        for (const purge of purges)
          for (let removed = ROWS_MAX; removed === ROWS_MAX; steps++) {
            if (steps >= STEPS_MAX || signal.aborted) return false;
            await calm();
            removed = await write((tx) => purge(tx, env_id, before, ROWS_MAX));
          }
      return true;
    },
    end: (_tx, runs) => runs.map(({ result }) => (result ? { kind: "done" } : { kind: "snooze", ms: 0, reason: "more to remove" })),
  };
}

/** The job of one hour: the same on every copy, so that one of them does it. Belongs to no environment. */
export function purgeEventsAt(now: number): NewJob {
  const hour = toTime(now).slice(0, 13);
  return { env_id: 0, id: `${PURGE_JOB}.${hour}`, kind: PURGE_JOB, lane: null, chat: null, run_at: now, payload: "", eta: null };
}
