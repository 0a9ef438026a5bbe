import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Job, Outcome } from "./job.ts";
import type { JobStore } from "./store.ts";

/** Writes an outcome where the queue is concerned: gone, back in its place, its lane held or stopped. */
export async function settle(store: JobStore, clock: Clock, tx: Tx, job: Job, outcome: Outcome): Promise<void> {
  const { env_id, id, lane, attempts } = job;
  switch (outcome.kind) {
    case "done":
    case "discard":
      await store.remove(tx, env_id, id);
      return;
    case "retry":
    case "snooze":
      await store.putBack(tx, env_id, id, outcome.kind === "retry" ? attempts + 1 : attempts);
      if (lane !== null && outcome.ms > 0) await store.hold(tx, env_id, lane, clock.now() + outcome.ms, outcome.reason);
      return;
    case "stop":
      await store.putBack(tx, env_id, id, attempts);
      if (lane !== null) await store.pause(tx, env_id, lane, true, outcome.reason);
  }
}

/** Whether the job has left the queue for good. */
export function isFinal(outcome: Outcome): boolean {
  return outcome.kind === "done" || outcome.kind === "discard";
}
