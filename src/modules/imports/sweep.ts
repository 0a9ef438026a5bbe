import { type Clock, toTime } from "#src/core/clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";
import type { ImportStore } from "./store.ts";

const SWEEP_JOB = "imports.sweep";
/** An upload of which nothing has come for so long has broken off. */
const UPLOAD_IDLE_MS = 3_600_000;
/** How long an import can be undone, and its report be read. */
export const KEPT_MS = 30 * 24 * 3_600_000;
/** Transactions a run, so that it ends well within its lease. */
const STEPS_MAX = 500;

interface Needs {
  store: ImportStore;
  clock: Clock;
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

/** Removes uploads that nobody goes on with, files that were read, and what is kept of imports for their time. */
export function sweepImports({ store, clock, write }: Needs): JobKind<null, boolean> {
  return {
    kind: SWEEP_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    begin: (_tx, jobs) => jobs.map(() => ({ ready: null })),
    /** @returns whether nothing is left */
    async run(_nothing, signal) {
      let steps = 0;
      for (const { env_id, id, whole } of await store.due(clock.now() - UPLOAD_IDLE_MS, clock.now() - KEPT_MS))
        for (let more = true; more; steps++) {
          if (steps >= STEPS_MAX || signal.aborted) return false;
          more = await write((tx) => store.removeSome(tx, env_id, id, whole));
        }
      return true;
    },
    end: (_tx, runs) => runs.map(({ result }) => (result ? { kind: "done" } : { kind: "snooze", ms: 0, reason: "more to remove" })),
  };
}

const jobOf = (id: string, now: number): NewJob => ({
  ...{ env_id: 0, id: `${SWEEP_JOB}.${id}`, kind: SWEEP_JOB, lane: null, chat: null, run_at: now, payload: "", eta: null },
});

/** The job of one hour: the same on every copy, so that one of them does it. Belongs to no environment. */
export function sweepImportsAt(now: number): NewJob {
  return jobOf(toTime(now).slice(0, 13), now);
}

/** The job that removes what is left of one file, and whatever else is due. */
export function sweepNow(import_id: string, now: number): NewJob {
  return jobOf(import_id, now);
}
