import type { Clock } from "#src/core/clock.ts";
import { newId } from "#src/core/ids.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewTask, Task } from "#src/modules/tasks/model.ts";
import type { Plan } from "./model.ts";
import { PREPARE_TASK } from "./noting.ts";
import { stopOf } from "./plan.ts";
import { planOf } from "./present.ts";
import { nextRun, type Recurring } from "./recurring.ts";
import type { BroadcastStateRow, BroadcastStore, BroadcastWithState } from "./store.ts";

interface Needs {
  store: BroadcastStore;
  clock: Clock;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
}

export type Starting = ReturnType<typeof createStarting>;

const scopes = { read: "read:messages", write: "write:messages" } as const;

/** Begins broadcasts: a long job notes who they are for. */
export function createStarting({ store, clock, createTask }: Needs) {
  async function begin(tx: Tx, row: { env_id: number; id: string }): Promise<void> {
    const now = clock.now(row.env_id);
    const task = await createTask(tx, row.env_id, { kind: PREPARE_TASK, scopes, params: { broadcast_id: row.id }, total: null });
    await store.record(tx, row, {
      ...{ status: "running", job_id: task.id, due_at: null, slot_at: 0 },
      ...{ started_at: now, updated_at: now },
    });
  }

  return {
    begin,
    /** What a recurring one does at its time: a run of it begins, and it waits for the next. Runs that were missed are one. */
    async recur(tx: Tx, row: BroadcastWithState, schedule: Recurring): Promise<void> {
      const { env_id } = row;
      const now = clock.now(env_id);
      const id = newId("bc", now, env_id);
      const plan = { ...planOf(row), schedule: null };
      const { name, audience, metadata, actor } = row;
      await store.insert(
        tx,
        { env_id, id, name, audience, plan: JSON.stringify(plan), metadata, parent_id: row.id, actor, created_at: now },
        newState(env_id, id, plan, now),
      );
      await begin(tx, { env_id, id });
      const next = nextRun(schedule, now);
      const after = next === null ? { status: "completed", due_at: null, ended_at: now } : { due_at: clock.real(env_id, next) };
      await store.record(tx, row, { ...after, starts_at: next, updated_at: now });
    },
  };
}

/** What is known of one that has not begun. */
export function newState(env_id: number, broadcast_id: string, plan: Plan, now: number): BroadcastStateRow {
  return {
    ...{ env_id, broadcast_id, status: "draft", reason: null, due_at: null, slot_at: 0, job_id: null, is_noted: 0 },
    ...{ sample_ends_at: null, winner: null, total: 0, queued: 0, sent: 0, failed: 0, skipped: 0, canceled: 0, replied: 0, clicked: 0 },
    ...{ ...stopOf(plan), starts_at: null, started_at: null, ended_at: null, updated_at: now },
  };
}
