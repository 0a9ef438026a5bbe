import type { Database } from "#db/database.ts";
import type { DueSource } from "#src/core/due-source.ts";
import type { Tx } from "#src/core/tx.ts";

interface Needs {
  db: Database;
  /** Looks for what is due. */
  wake(): void;
}

/** Broadcasts that fall due, for whoever moves an environment's clock. Their recipients and paces are in its own time already. */
export function createDueBroadcasts({ db, wake }: Needs): DueSource {
  const first = (tx: Tx | null, env_id: number, after: number) =>
    (tx === null ? db.read : db.in(tx))
      .selectFrom("broadcast_states")
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
        .updateTable("broadcast_states")
        .set((row) => ({ due_at: row("due_at", "-", by_ms) }))
        .where("env_id", "=", env_id)
        .where("due_at", ">", now)
        .execute();
    },
    isQuiet: async ({ env_id, now }) => ((await first(null, env_id, -1))?.due_at ?? Number.POSITIVE_INFINITY) > now,
    moved: wake,
  };
}
