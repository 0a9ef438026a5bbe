import { type Clock, toTime } from "#src/core/clock.ts";
import { notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { JobKind, NewJob } from "#src/jobs/job.ts";
import type { NewTask, Task } from "#src/modules/tasks/model.ts";
import { ERASE_TASK } from "./kind.ts";
import type { EraseContact, Eraser, ErasureParams } from "./model.ts";
import type { ErasureStore } from "./store.ts";

const SWEEP_JOB = "contacts.sweep";
/** A deleted contact is kept for as long, should it have been a mistake. */
const KEPT_MS = 30 * 24 * 3_600_000;

interface Needs {
  store: ErasureStore;
  clock: Clock;
  removeContact(tx: Tx, eraser: Eraser, ref: string, check: Precondition): Promise<void>;
  /** Whether a contact is part of another, in which the rest of the person is. @param ref its id or number */
  isMerged(tx: Tx, env_id: number, ref: string): Promise<boolean>;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  /** The database's `write`. */
  write<T>(work: (tx: Tx) => Maybe<T>): Promise<T>;
}

const taskOf = (params: ErasureParams, total: number | null): NewTask => ({
  kind: ERASE_TASK,
  scopes: { read: "read:contacts", write: "write:contacts" },
  params,
  total,
});

export function createErasureService({ store, clock, removeContact, isMerged, createTask, write }: Needs) {
  /**
   * Deletes a contact at once and begins to erase it; one that was deleted before need not wait for its 30 days.
   * @param ref an id or a number
   * @returns the long job
   * @throws AppError `not_found`, `conflict` for one that was merged into another; what `check` throws
   */
  const erase: EraseContact = async (tx, eraser, ref, check) => {
    const row = await store.lock(tx, eraser.env_id, ref);
    const isDeleted = row !== undefined && row.deleted_at !== null;
    const isGone = row === undefined || (isDeleted && (await isMerged(tx, eraser.env_id, ref)));
    if (!isDeleted || isGone) await removeContact(tx, eraser, ref, check);
    if (row === undefined) throw notFound("contact");
    return createTask(tx, eraser.env_id, taskOf({ contact_id: row.id, deleted_before: 0 }, 1));
  };

  /** Begins to erase who was deleted 30 days ago, by one long job an environment. */
  async function sweep(): Promise<void> {
    const deleted_before = clock.now() - KEPT_MS;
    for (const env_id of await store.environmentsDue(deleted_before))
      if (!(await store.isUnderWay(env_id, ERASE_TASK)))
        await write((tx) => createTask(tx, env_id, taskOf({ contact_id: null, deleted_before }, null)));
  }

  const sweepJob: JobKind = {
    kind: SWEEP_JOB,
    laneLimits: () => [],
    chatLimits: () => [],
    begin: (_tx, jobs) => jobs.map(() => ({ ready: null })),
    run: sweep,
    end: (_tx, runs) => runs.map(() => ({ kind: "done" })),
  };

  return { erase, sweepJob };
}

/** The job of one hour: the same on every copy, so that one of them does it. Belongs to no environment. */
export function sweepAt(now: number): NewJob {
  const hour = toTime(now).slice(0, 13);
  return { env_id: 0, id: `${SWEEP_JOB}.${hour}`, kind: SWEEP_JOB, lane: null, chat: null, run_at: now, payload: "", eta: null };
}
