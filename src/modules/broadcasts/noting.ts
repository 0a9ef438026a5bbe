import type { Clock } from "#src/core/clock.ts";
import { zoneOf } from "#src/core/contact-zone.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Step, TaskKind } from "#src/modules/tasks/model.ts";
import { type AudienceBatch, type AudienceReader, beginning, type Place, type Reading } from "./audience.ts";
import type { Course } from "./course.ts";
import type { Plan } from "./model.ts";
import { firstTime, openTime } from "./plan.ts";
import { planOf } from "./present.ts";
import type { BroadcastStore, BroadcastWithState } from "./store.ts";
import { variantOf } from "./variants.ts";

export const PREPARE_TASK = "broadcasts.prepare";

interface Params {
  broadcast_id: string;
}

type State = Reading & { noted: number };

interface Needs {
  store: BroadcastStore;
  read: AudienceReader;
  clock: Clock;
  course: Course;
  wake(tx: Tx): void;
}

/** Notes whom a broadcast is for, in steps keyed by contact: each is noted once, however often it breaks off. */
export function prepareKind({ store, read, clock, course, wake }: Needs): TaskKind<Params, State, AudienceBatch> {
  /** @returns false for who is noted already */
  function note(tx: Tx, { env_id, id }: BroadcastWithState, plan: Plan, person: Place, now: number): Promise<boolean> {
    const variant = variantOf(plan, id, person.id);
    const zone = zoneOf(person, plan.timezone);
    const due_at = variant === null ? null : openTime(plan, zone, firstTime(plan, zone, now));
    return store.addRecipient(tx, {
      ...{ env_id, broadcast_id: id, contact_id: person.id, status: variant === null ? "held" : "waiting", variant: variant ?? "" },
      ...{ due_at, account_id: null, message_id: null, reason: null, replied_at: null, clicked_at: null },
    });
  }

  return {
    kind: PREPARE_TASK,
    begin: () => ({ ...beginning, noted: 0 }),
    prepare: ({ env_id, params, state }) => read(env_id, params.broadcast_id, state),

    async apply(tx, { env_id, params, state }, batch): Promise<Step<State>> {
      const id = params.broadcast_id;
      const row = await store.lock(tx, env_id, id);
      const progress = (noted: number, isOver: boolean) => ({ done: noted, total: isOver ? noted : null });
      if ("error" in batch) return { kind: "failed", state, progress: progress(state.noted, true), error: batch.error };
      if (row === undefined || (row.status !== "running" && row.status !== "paused"))
        return { kind: "done", state, progress: progress(state.noted, true) };
      const now = clock.now(env_id);
      const plan = planOf(row);
      let noted = 0;
      for (const person of batch.people) if (await note(tx, row, plan, person, now)) noted += 1;
      await store.add(tx, { env_id, id }, { total: noted }, now);
      if (row.status === "running" && row.due_at === null && noted > 0) {
        await store.record(tx, { env_id, id }, { due_at: clock.now() });
        wake(tx);
      }
      const after = { ...batch.next, noted: state.noted + noted };
      return { kind: batch.isLast ? "done" : "more", state: after, progress: progress(after.noted, batch.isLast) };
    },

    result: ({ noted }) => ({ recipients: noted }),

    /** Whoever ends it: what is noted is all that there is. */
    async ended(tx, { env_id, params }, status) {
      const id = params.broadcast_id;
      const row = await store.lock(tx, env_id, id);
      if (row === undefined) return;
      await store.record(tx, { env_id, id }, { is_noted: 1, updated_at: clock.now(env_id) });
      if (status !== "done" && (row.status === "running" || row.status === "paused")) {
        await store.record(tx, { env_id, id }, { status: "stopped", reason: `job_${status}`, due_at: clock.now() });
        wake(tx);
      }
      // What could not be told before everybody was noted: whether it is over, and what has won.
      if (row.status === "running" && status === "done") {
        await store.record(tx, { env_id, id }, { due_at: clock.now() });
        wake(tx);
      }
      const { status: current, reason, due_at } = (await store.get(tx, env_id, id))!;
      await course.settle(tx, env_id, id, { ...row, broadcast_id: id, is_noted: 1, status: current, reason, due_at });
    },
  };
}
