import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { Tx } from "#src/core/tx.ts";

/** Removes events whose time is over. */
export function createEventPurge(db: Database) {
  return {
    environments: async (): Promise<number[]> => {
      const rows = await db.read.selectFrom("environments").select("id").orderBy("id").execute();
      return rows.map(({ id }) => id);
    },
    /**
     * Events that were written before a time, the oldest first. The newest one stays, however old it is: on SQLite the next event
     * would get its place again, and whoever follows the log would miss it.
     * @param before ms @returns how many it removed; fewer than `most` when none is left
     */
    async events(tx: Tx, env_id: number, before: number, most: number): Promise<number> {
      const all = db.in(tx).selectFrom("events").where("env_id", "=", env_id);
      const newest = await all.select(["tx_id", "seq"]).orderBy("tx_id", "desc").orderBy("seq", "desc").limit(1).executeTakeFirst();
      if (newest === undefined) return 0;
      const oldest = all
        .select("id")
        .where(sql<boolean>`(tx_id, seq) < (${newest.tx_id}, ${newest.seq})`)
        .orderBy("tx_id")
        .orderBy("seq")
        .limit(most);
      const { numDeletedRows } = await db
        .in(tx)
        .deleteFrom("events")
        .where("env_id", "=", env_id)
        .where("id", "in", oldest)
        .where("created_at", "<", before)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
  };
}
