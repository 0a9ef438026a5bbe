import type { Clock } from "#src/core/clock.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { EndStatus, TaskError, TaskKind } from "./model.ts";
import { presentTask, toRunning } from "./present.ts";
import type { TaskRow, TaskStore } from "./store.ts";

interface Needs {
  store: TaskStore;
  clock: Clock;
  kinds: ReadonlyMap<string, TaskKind>;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
}

/** How a task ends. */
interface End {
  status: EndStatus;
  error?: TaskError;
  /** Who ends it: `job`, or the key that cancels it. */
  actor: string;
  /** The kind's own code fails: it is asked neither for a result nor to clean up. */
  withoutKind?: boolean;
}

/** Ends a task that the transaction has locked, and tells of it as `job.completed`. @returns the row as it is then */
export type EndTask = (tx: Tx, row: TaskRow, end: End) => Promise<TaskRow>;

export function createEnding({ store, clock, kinds, appendEvent }: Needs): EndTask {
  return async (tx, row, { status, error, actor, withoutKind = false }) => {
    const now = clock.now(row.env_id);
    const kind = withoutKind ? undefined : kinds.get(row.kind);
    const task = kind === undefined ? undefined : toRunning(kind, row);
    const result = task === undefined ? null : kind!.result(task.state);
    const ended: TaskRow = {
      ...row,
      status,
      result: result === null ? null : JSON.stringify(result),
      error_code: error?.code ?? null,
      error_message: error?.message ?? null,
      finished_at: now,
      updated_at: now,
    };
    await store.record(tx, ended);
    if (task !== undefined) await kind!.ended?.(tx, task, status);
    appendEvent(tx, row.env_id, { type: "job.completed", subject: row.id, actor, data: presentTask(ended) });
    return ended;
  };
}
