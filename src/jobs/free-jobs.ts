import type { Database } from "#db/database.ts";
import type { Job } from "./job.ts";
import type { JobStore } from "./store.ts";

const RUNNING_MAX = 32;
/** How long a copy that fell silent keeps one. */
const LEASE_MS = 60_000;

/** Jobs without a lane: whoever claims one first has it. */
export interface FreeJobs {
  /** Takes those that are due, a few at a time; each counts as running until `left`. */
  collect(now: number): Promise<Job[]>;
  left(): void;
  /** One was put into the queue. */
  added(run_at: number): void;
  /** Somebody else may have put one there: look at once. */
  rescan(): void;
  /** When the next can be collected (ms); Infinity when only an event can change that. */
  nextAt(): number;
}

export function createFreeJobs(db: Database, store: JobStore): FreeJobs {
  let running = 0;
  let dueAt = 0;
  return {
    async collect(now) {
      if (dueAt > now || running >= RUNNING_MAX) return [];
      const taken = await db.write((tx) => store.takeFree(tx, now, now + LEASE_MS, RUNNING_MAX));
      running += taken.length;
      if (taken.length > 0) return taken;
      // What is enqueued while this is read must not be overwritten by what was read.
      dueAt = Number.POSITIVE_INFINITY;
      const next = (await store.nextFree()) ?? Number.POSITIVE_INFINITY;
      dueAt = Math.min(dueAt, next);
      return [];
    },
    left() {
      running--;
      dueAt = 0;
    },
    added: (run_at) => (dueAt = Math.min(dueAt, run_at)),
    rescan: () => (dueAt = 0),
    nextAt: () => (running < RUNNING_MAX ? dueAt : Number.POSITIVE_INFINITY),
  };
}
