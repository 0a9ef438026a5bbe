import { toTime } from "#src/core/clock.ts";
import type { RunningTask, Task, TaskKind, TaskStatus } from "./model.ts";
import type { TaskRow } from "./store.ts";

/** The only way from a row to what clients see. */
export function presentTask(row: TaskRow): Task {
  return {
    id: row.id,
    kind: row.kind,
    status: row.status as TaskStatus,
    progress: { done: row.done, total: row.total },
    result: row.result === null ? null : (JSON.parse(row.result) as Record<string, unknown>),
    error: row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? "" },
    created_at: toTime(row.created_at),
    finished_at: toTime(row.finished_at),
  };
}

/** What its kind is told of a task. */
export function toRunning(kind: TaskKind, row: TaskRow): RunningTask<unknown, unknown> {
  const { env_id, id, done, total } = row;
  const params: unknown = JSON.parse(row.params);
  const state: unknown = row.state === null ? kind.begin(params) : JSON.parse(row.state);
  return { env_id, id, params, state, progress: { done, total } };
}

/** Whether there is nothing left to do on it. */
export function hasEnded({ status }: Pick<TaskRow, "status">): boolean {
  return status !== "queued" && status !== "running";
}
