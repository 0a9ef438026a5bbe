import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { AutomationCountRow } from "#db/schema-sequences.ts";
import type { Tx } from "#src/core/tx.ts";

/** What has happened how often, by day and variant. */
export function createCountStore(db: Database) {
  const add = db.prepare<AutomationCountRow>((q, v) =>
    q
      .insertInto("automation_counts")
      .values({
        env_id: v("env_id"),
        subject_id: v("subject_id"),
        day: v("day"),
        step: v("step"),
        what: v("what"),
        n: v("n"),
      })
      .onConflict((clash) =>
        clash.columns(["env_id", "subject_id", "day", "step", "what"]).doUpdateSet({ n: sql`automation_counts.n + excluded.n` as never }),
      ),
  );
  return {
    addCount: (tx: Tx, row: AutomationCountRow): void => add.later(tx, row),
    counts: (tx: Tx | null, env_id: number, subject_id: string): Promise<AutomationCountRow[]> =>
      (tx === null ? db.read : db.in(tx))
        .selectFrom("automation_counts")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("subject_id", "=", subject_id)
        .orderBy("day")
        .orderBy("step")
        .orderBy("what")
        .execute(),
  };
}
