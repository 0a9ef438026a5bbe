import type { Clock } from "#src/core/clock.ts";
import { AppError, notFound } from "#src/core/errors.ts";
import type { Precondition } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, toPage } from "#src/core/page.ts";
import type { Principal } from "#src/core/principal.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { EndTask } from "./ending.ts";
import { RUN_JOB } from "./job.ts";
import type { NewTask, Task, TaskKind, TaskQuery } from "./model.ts";
import { hasEnded, presentTask } from "./present.ts";
import type { Narrowed, TaskRow, TaskStore } from "./store.ts";

interface Needs {
  store: TaskStore;
  clock: Clock;
  kinds: ReadonlyMap<string, TaskKind>;
  end: EndTask;
  enqueue: Enqueue;
  /** Takes the job of a task out of the queue. */
  withdraw(tx: Tx, env_id: number, id: string): Promise<boolean>;
}

type Asker = Pick<Principal, "env_id" | "scopes">;
type Changer = Pick<Principal, "env_id" | "scopes" | "key_id">;

export type TaskService = ReturnType<typeof createTaskService>;

/** Long jobs. A key meets those that its scopes read or change; the others are not there for it. */
export function createTaskService({ store, clock, kinds, end, enqueue, withdraw }: Needs) {
  return {
    /**
     * Begins long work: what answers a request with 202.
     * @returns the job, `queued`
     * @throws Error for a kind that the program does not have
     */
    async create(tx: Tx, env_id: number, { kind, scopes, params, total }: NewTask): Promise<Task> {
      if (!kinds.has(kind)) throw new Error(`there is no kind of long job ${kind}`);
      const now = clock.now(env_id);
      const row: TaskRow = {
        ...{ env_id, id: newId("job", now, env_id), kind, read_scope: scopes.read, write_scope: scopes.write },
        ...{ params: JSON.stringify(params), state: null, steps: 0, failures: 0, status: "queued", done: 0, total },
        ...{ result: null, error_code: null, error_message: null, created_at: now, finished_at: null, updated_at: now },
      };
      await store.insert(tx, row);
      // The job has its task's id.
      enqueue(tx, { env_id, id: row.id, kind: RUN_JOB, lane: null, chat: null, run_at: now, payload: "", eta: null });
      return presentTask(row);
    },

    /** @throws AppError `not_found`, also where the scopes don't reach it */
    async get({ env_id, scopes }: Asker, id: string): Promise<Task> {
      const row = await store.find(env_id, id);
      if (row === undefined || !reaches(scopes, row)) throw notFound("job");
      return presentTask(row);
    },

    /** Newest first, those that the scopes reach. @throws AppError `validation_error` for a cursor that is not of this list */
    async list({ env_id, scopes }: Asker, query: TaskQuery): Promise<Page<Task>> {
      const { limit = PAGE_DEFAULT, offset = 0, cursor, kind, status } = query;
      const by: Narrowed = { ...(kind === undefined ? {} : { kind }), ...(status === undefined ? {} : { status }) };
      const before = cursor === undefined ? null : decodeCursor("jobs", env_id, cursor);
      const own = [...scopes];
      const [rows, count] = await Promise.all([store.page(env_id, own, by, before, offset, limit + 1), store.count(env_id, own, by)]);
      return toPage(rows, { list: "jobs", env_id, limit, offset }, count, presentTask, (row) => row.id);
    },

    /**
     * Ends a job that has not ended. What its steps have done so far stays done; a step that is being prepared is dropped.
     * @throws AppError `not_found`, `forbidden` for a key that may only read it, `conflict` when it has ended; what `check` throws
     */
    async cancel(tx: Tx, { env_id, scopes, key_id }: Changer, id: string, check: Precondition): Promise<Task> {
      const row = await store.lock(tx, env_id, id);
      if (row === undefined || !reaches(scopes, row)) throw notFound("job");
      const { write_scope: required_scope } = row;
      if (!scopes.has(required_scope))
        throw new AppError("forbidden", `This key lacks the scope ${required_scope}.`, { members: { required_scope } });
      check(presentTask(row));
      if (hasEnded(row)) throw new AppError("conflict", `Only a job that has not ended can be canceled; this one is ${row.status}.`);
      await withdraw(tx, env_id, id);
      return presentTask(await end(tx, row, { status: "canceled", actor: key_id }));
    },
  };
}

function reaches(scopes: ReadonlySet<string>, { read_scope, write_scope }: TaskRow): boolean {
  return scopes.has(read_scope) || scopes.has(write_scope);
}
