import type { Clock } from "#src/core/clock.ts";
import type { Enqueue, JobLoop } from "#src/jobs/job.ts";

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
