import type { Database } from "#db/database.ts";
import type { DueSource } from "#src/core/due-source.ts";
import type { Tx } from "#src/core/tx.ts";
import { heededTypes } from "./heeding.ts";
import type { PlaceStore } from "./places-sql.ts";

interface Needs {
  db: Database;
  places: Pick<PlaceStore, "unheededSince">;
  /** Looks for what is due. */
  wake(): void;
}

/** Enrollments whose next step falls due, for whoever moves an environment's clock. */
export function createDueEnrollments({ db, places, wake }: Needs): DueSource {
  const first = (tx: Tx | null, env_id: number, after: number) =>
    (tx === null ? db.read : db.in(tx))
      .selectFrom("enrollments")
      .select("due_at")
      .where("env_id", "=", env_id)
      .where("due_at", ">", after)
      .orderBy("due_at")
      .limit(1)
      .executeTakeFirst();

  return {
    nextAt: async (tx, { env_id, now }) => (await first(tx, env_id, now))?.due_at ?? null,
    async shift(tx, { env_id, now }, by_ms) {
      await db
        .in(tx)
        .updateTable("enrollments")
        .set((row) => ({ due_at: row("due_at", "-", by_ms) }))
        .where("env_id", "=", env_id)
        .where("due_at", ">", now)
        .execute();
    },
    async isQuiet({ env_id, now }) {
      // What happened may let somebody enter, or go on.
      if ((await places.unheededSince(null, env_id, [...heededTypes])) !== null) return false;
      return ((await first(null, env_id, -1))?.due_at ?? Number.POSITIVE_INFINITY) > now;
    },
    moved: wake,
  };
}
