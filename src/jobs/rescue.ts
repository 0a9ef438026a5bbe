import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { Job, JobKind } from "./job.ts";
import { settle } from "./settle.ts";
import type { JobStore } from "./store.ts";

/**
 * Settles what was running in a lane when its former owner died.
 * @returns how many jobs that were
 */
export function rescueLane(
  db: Database,
  store: JobStore,
  clock: Clock,
  kinds: ReadonlyMap<string, JobKind>,
  env_id: number,
  lane: string,
): Promise<number> {
  return db.write(async (tx) => {
    const jobs = await store.running(tx, env_id, lane);
    for (const [name, ofKind] of Map.groupBy(jobs, (job: Job) => job.kind)) {
      const outcomes = await kinds.get(name)!.rescue(tx, ofKind);
      for (const [at, job] of ofKind.entries()) await settle(store, clock, tx, job, outcomes[at]!);
    }
    return jobs.length;
  });
}
