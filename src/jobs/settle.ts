import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Job, Outcome } from "./job.ts";
import type { Lane } from "./lane.ts";
import type { JobStore } from "./store.ts";

export interface Settled {
  job: Pick<Job, "env_id" | "id" | "lane" | "attempts">;
  outcome: Outcome;
}

/** Writes outcomes where the queue is concerned: those that ended leave it together, the others wait again. */
export async function settle(store: JobStore, clock: Clock, tx: Tx, settled: readonly Settled[]): Promise<void> {
  const ended = settled.filter(({ outcome }) => outcome.kind === "done" || outcome.kind === "discard");
  for (const [env_id, ofEnv] of Map.groupBy(ended, ({ job }) => job.env_id))
    await store.remove(
      tx,
      env_id,
      ofEnv.map(({ job }) => job.id),
    );
  for (const { job, outcome } of settled) {
    if (!isFinal(outcome)) await putBack(store, clock, tx, job, outcome);
    else if (outcome.kind !== "gone" && outcome.rest !== undefined && job.lane !== null)
      await store.hold(tx, job.env_id, job.lane, clock.now() + outcome.rest.ms, outcome.rest.reason);
  }
}

/** The job waits again, its lane held or stopped where the outcome says so. */
async function putBack(store: JobStore, clock: Clock, tx: Tx, job: Settled["job"], outcome: Waiting): Promise<void> {
  const { env_id, id, lane } = job;
  if (outcome.kind === "postpone") {
    await store.repeat(tx, env_id, id, job.attempts, dueAgain(clock, job, outcome));
    return;
  }
  const attempts = job.attempts + (outcome.kind === "retry" ? 1 : 0);
  const until = clock.now() + (outcome.kind === "stop" ? 0 : outcome.ms);
  if (lane === null) {
    await store.repeat(tx, env_id, id, attempts, until);
    return;
  }
  if (attempts !== job.attempts) await store.setAttempts(tx, env_id, id, attempts);
  if (outcome.kind === "stop") await store.pause(tx, env_id, lane, true);
  else if (outcome.kind !== "snooze_chat" && outcome.ms > 0) await store.hold(tx, env_id, lane, until, outcome.reason);
}

type Final = Extract<Outcome, { kind: "done" | "discard" | "gone" }>;
type Waiting = Exclude<Outcome, Final>;

/** Whether the job is none of ours any more. */
function isFinal(outcome: Outcome): outcome is Final {
  return outcome.kind === "done" || outcome.kind === "discard" || outcome.kind === "gone";
}

/** Kinds reckon by their environment's time, the queue by real time. */
const dueAgain = (clock: Clock, { env_id }: Pick<Job, "env_id">, { until }: { until: number }) => clock.real(env_id, until);

/** Does with a lane in memory what `settle` has done with its rows. */
export function moveOn(lane: Lane, clock: Clock, job: Job, outcome: Outcome, wasDispatched: boolean): void {
  const now = clock.now();
  if (isFinal(outcome) || outcome.kind === "postpone") {
    if (wasDispatched) lane.finished(job, now);
    else lane.dropped(job);
    if (outcome.kind === "postpone") lane.added({ run_at: dueAgain(clock, job, outcome), id: job.id }, now);
    else if (outcome.kind !== "gone" && outcome.rest !== undefined) lane.heldUntil = Math.max(lane.heldUntil, now + outcome.rest.ms);
    return;
  }
  lane.putBack({ ...job, attempts: job.attempts + (outcome.kind === "retry" ? 1 : 0) }, now, wasDispatched);
  if (outcome.kind === "snooze" || outcome.kind === "retry") lane.heldUntil = Math.max(lane.heldUntil, now + outcome.ms);
  if (outcome.kind === "snooze_chat") lane.holdChat(job, now + outcome.ms);
}
