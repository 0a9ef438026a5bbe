import type { Database } from "#db/database.ts";
import { countRows, newestFirst } from "#db/paging.ts";
import type { TaskRow } from "#db/schema.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { TaskStatus } from "./model.ts";

/** A list's filter, in the store's terms. */
export interface Narrowed {
  kind?: string;
  status?: TaskStatus;
}

/** What a run changes of a task. */
type Recorded = Omit<TaskRow, "kind" | "read_scope" | "write_scope" | "params" | "created_at">;

export function createTaskStore(db: Database) {
  const lock = db.prepare<{ env_id: number; id: string }, TaskRow>((q, v) =>
    q
      .selectFrom("tasks")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id"))
      .$if(db.engine === "postgres", (query) => query.forUpdate()),
  );
  const record = db.prepare<Recorded>((q, v) =>
    q
      .updateTable("tasks")
      .set({
        state: v("state"),
        steps: v("steps"),
        failures: v("failures"),
        status: v("status"),
        done: v("done"),
        total: v("total"),
        result: v("result"),
        error_code: v("error_code"),
        error_message: v("error_message"),
        finished_at: v("finished_at"),
        updated_at: v("updated_at"),
      })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id")),
  );

  /** Those of an environment that one of these scopes reaches. */
  const reached = (env_id: number, scopes: readonly string[]) =>
    db.read
      .selectFrom("tasks")
      .where("env_id", "=", env_id)
      .where((where) => where.or([where("read_scope", "in", scopes), where("write_scope", "in", scopes)]));
  const narrow = (env_id: number, scopes: readonly string[], by: Narrowed) =>
    reached(env_id, scopes)
      .$if(by.kind !== undefined, (q) => q.where("kind", "=", by.kind!))
      .$if(by.status !== undefined, (q) => q.where("status", "=", by.status!));

  return {
    insert: async (tx: Tx, row: TaskRow) => {
      await db.in(tx).insertInto("tasks").values(row).execute();
    },
    find: (env_id: number, id: string) =>
      db.read.selectFrom("tasks").selectAll().where("env_id", "=", env_id).where("id", "=", id).executeTakeFirst(),
    /** Whether a task has not ended. @param tx null reads the last committed snapshot */
    async isRunning(tx: Tx | null, env_id: number, id: string): Promise<boolean> {
      const query = (tx === null ? db.read : db.in(tx)).selectFrom("tasks").select("id").where("env_id", "=", env_id).where("id", "=", id);
      return (await query.where("finished_at", "is", null).executeTakeFirst()) !== undefined;
    },
    lock: (tx: Tx, env_id: number, id: string): Maybe<TaskRow | undefined> => lock.one(tx, { env_id, id }),
    /** Writes what has become of a task that this transaction has locked. */
    async record(tx: Tx, row: TaskRow): Promise<void> {
      const { kind: _kind, read_scope: _read, write_scope: _write, params: _params, created_at: _created, ...recorded } = row;
      await record.run(tx, recorded);
    },
    /** Which of these tasks one of the scopes reaches. */
    async reachable(env_id: number, ids: readonly string[], scopes: ReadonlySet<string>): Promise<ReadonlySet<string>> {
      const rows = await reached(env_id, [...scopes])
        .select("id")
        .where("id", "in", ids)
        .execute();
      return new Set(rows.map(({ id }) => id));
    },
    page: (env_id: number, scopes: readonly string[], by: Narrowed, before: string | null, offset: number, most: number) =>
      newestFirst(narrow(env_id, scopes, by), { before, offset, most }),
    /** Exact for all that the scopes reach; under a filter up to TOTAL_MAX. */
    count: (env_id: number, scopes: readonly string[], by: Narrowed) =>
      countRows(db, narrow(env_id, scopes, by), Object.keys(by).length > 0),
  };
}

export type { TaskRow };
export type TaskStore = ReturnType<typeof createTaskStore>;
