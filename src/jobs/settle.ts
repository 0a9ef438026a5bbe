import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Job, Outcome } from "./job.ts";
import type { JobStore } from "./store.ts";

/** Writes an outcome where the queue is concerned: gone, or waiting again with its lane held or stopped. */
export async function settle(
  store: JobStore,
  clock: Clock,
  tx: Tx,
  job: Pick<Job, "env_id" | "id" | "lane" | "attempts">,
  outcome: Outcome,
): Promise<void> {
  const { env_id, id, lane } = job;
  if (outcome.kind === "gone") return;
  if (outcome.kind === "done" || outcome.kind === "discard") {
    await store.remove(tx, env_id, id);
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
  else if (outcome.ms > 0) await store.hold(tx, env_id, lane, until, outcome.reason);
}

/** Whether the job is none of ours any more. */
export function isFinal(outcome: Outcome): boolean {
  return outcome.kind === "done" || outcome.kind === "discard" || outcome.kind === "gone";
}
