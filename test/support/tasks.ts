import type { Database } from "#db/database.ts";
import type { NewTask, RunningTask, Step, TaskKind } from "#src/modules/tasks/model.ts";
import type { Tenant, TestApp } from "./app.ts";

interface Params {
  upTo: number;
  /** Stands in the result. */
  mark?: string;
}

/** Where a count stands: the last number that it has put down. */
interface Count {
  at: number;
  mark: string;
}

type Counting = RunningTask<Params, Count>;

/** What a test does to a count. */
export interface CountScript {
  /** Before a number is put down, outside of any transaction. */
  prepare?(next: number, task: Counting): Promise<void> | void;
  /** In the transaction that puts it down, after it was. */
  apply?(next: number, task: Counting): void;
  result?(count: Count): object;
  ended?(status: string, task: Counting): void;
  /** Ends it as a failure that is to be expected. */
  failsAt?: number;
}

export const COUNT = "test.count";

/** Counts up to a number, one a step, and puts each number down as a row that can be there once. */
export function countingKind(db: Database, script: CountScript = {}): TaskKind<Params, Count, number> {
  return {
    kind: COUNT,
    begin: ({ mark = "" }) => ({ at: 0, mark }),
    async prepare(task) {
      const next = task.state.at + 1;
      await script.prepare?.(next, task);
      return next;
    },
    async apply(tx, task, next): Promise<Step<Count>> {
      const { upTo } = task.params;
      await db
        .in(tx)
        .insertInto("counters")
        .values({ name: `${task.id} ${String(next).padStart(4, "0")}`, value: next })
        .execute();
      script.apply?.(next, task);
      const step = { state: { ...task.state, at: next }, progress: { done: next, total: upTo } };
      if (next === script.failsAt) return { ...step, kind: "failed", error: { code: "bad_number", message: `${next} is no number.` } };
      return { ...step, kind: next < upTo ? "more" : "done" };
    },
    result: (count) => script.result?.(count) ?? { counted: count.at, mark: count.mark },
    ended: (_tx, task, status) => script.ended?.(status, task),
  };
}

/** Starts a count, as an operation would. @returns its id */
export async function startCount(
  { db, services }: TestApp,
  { env_id }: Pick<Tenant, "env_id">,
  params: Params,
  scopes: NewTask["scopes"] = { read: "read:contacts", write: "write:contacts" },
): Promise<string> {
  const { id } = await db.write((tx) => services.tasks.create(tx, env_id, { kind: COUNT, scopes, params, total: null }));
  return id;
}

/** The numbers that a count has put down. */
export async function numbersOf({ db }: Pick<TestApp, "db">, id: string): Promise<number[]> {
  const rows = await db.read.selectFrom("counters").select("value").where("name", "like", `${id} %`).orderBy("name").execute();
  return rows.map(({ value }) => value);
}
