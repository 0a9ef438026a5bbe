import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import type { DueSource } from "#src/core/due-source.ts";
import type { Log } from "#src/core/log.ts";
import type { MovedClock } from "#src/core/moved-clock.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { createDueJobs } from "#src/jobs/due-jobs.ts";
import type { Enqueue, JobLoop } from "#src/jobs/job.ts";
import { advanceKind } from "#src/modules/clock/kind.ts";
import { createClockService } from "#src/modules/clock/service.ts";
import { createClockStore } from "#src/modules/clock/store.ts";
import type { NewTask, Task, TaskKind } from "#src/modules/tasks/model.ts";

/**
 * The queue as modules see it. They reckon by their environment's time, the queue by real time, so that one index tells what is due
 * in all environments: here one becomes the other.
 */
export function inEnvironmentTime(clock: Clock, loop: () => Pick<JobLoop, "enqueue" | "lastEta">) {
  const enqueue: Enqueue = (tx, job) => {
    const { env_id, run_at, eta } = job;
    loop().enqueue(tx, { ...job, run_at: clock.real(env_id, run_at), eta: eta === null ? null : clock.real(env_id, eta) });
  };
  const lastEta: JobLoop["lastEta"] = async (tx, env_id, lane, now) => {
    const eta = await loop().lastEta(tx, env_id, lane, clock.real(env_id, now));
    return eta === null ? null : clock.seen(env_id, eta);
  };
  return { enqueue, lastEta };
}

interface Needs {
  db: Database;
  clock: MovedClock;
  log: Log;
  loop(): JobLoop;
  /** What falls due beside jobs. */
  due: readonly DueSource[];
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  isRunning(tx: Tx | null, env_id: number, job_id: string): Maybe<boolean>;
  ring(): void;
}

/** The test clock. */
export function createRehearsing({ db, clock, log, loop, due, ...needs }: Needs) {
  const store = createClockStore(db);
  const sources = [createDueJobs(db, loop), ...due];
  const service = createClockService({ ...needs, store, clock, sources });
  /** Another copy may have moved a clock; on SQLite there is none. */
  function rescan(): void {
    if (db.engine === "sqlite") return;
    service.reload().catch((error: unknown) => log.warn("the test clocks could not be read; the next ring reads them again", { error }));
  }
  // On SQLite one process moves clocks, and knows of it.
  const heed = db.engine === "sqlite" ? undefined : service.catchUp;
  return { service, rescan, heed, kind: advanceKind({ store, clock, sources, ring: needs.ring, arrive: service.arrive }) as TaskKind };
}
