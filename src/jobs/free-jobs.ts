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
  left(job: Job): void;
  /** One was put into the queue. */
  added(run_at: number): void;
  /** Somebody else may have put one there: look at once. */
  rescan(): void;
  /** When the next can be collected (ms); Infinity when only an event can change that. */
  nextAt(): number;
}

export function createFreeJobs(db: Database, store: JobStore): FreeJobs {
  const running = new Set<string>();
  let dueAt = 0;
  const keyOf = ({ env_id, id }: Job) => `${env_id} ${id}`;
  return {
    async collect(now) {
      if (dueAt > now || running.size >= RUNNING_MAX) return [];
      const taken = await db.write((tx) => store.takeFree(tx, now, now + LEASE_MS, RUNNING_MAX));
      // Whose lease has ended and is ours still runs here: it has a new lease now.
      const fresh = taken.filter((job) => !running.has(keyOf(job)));
      for (const job of fresh) running.add(keyOf(job));
      if (taken.length > 0) return fresh;
      // What is enqueued while this is read must not be overwritten by what was read.
      dueAt = Number.POSITIVE_INFINITY;
      const next = (await store.nextFree(now)) ?? Number.POSITIVE_INFINITY;
      dueAt = Math.min(dueAt, next);
      return [];
    },
    left(job) {
      running.delete(keyOf(job));
      dueAt = 0;
    },
    added: (run_at) => (dueAt = Math.min(dueAt, run_at)),
    rescan: () => (dueAt = 0),
    nextAt: () => (running.size < RUNNING_MAX ? dueAt : Number.POSITIVE_INFINITY),
  };
}
