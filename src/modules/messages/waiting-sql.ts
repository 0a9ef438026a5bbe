import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { Tx } from "#src/core/tx.ts";

/** Of more than so many it is told that these wait. */
const COUNTED_MAX = 100_000;

/** What waits to be sent. */
export function createWaitingStore(db: Database) {
  return {
    /** How many jobs of a lane are due by a real time (ms). */
    async waiting(tx: Tx, env_id: number, lane: string, by: number): Promise<number> {
      const some = db
        .in(tx)
        .selectFrom("jobs")
        .select(sql.lit(1).as("one"))
        .where("env_id", "=", env_id)
        .where("lane", "=", lane)
        .where("run_at", "<=", by)
        .limit(COUNTED_MAX);
      const row = await db
        .in(tx)
        .selectFrom(some.as("some"))
        .select(({ fn }) => fn.countAll<number | string>().as("count"))
        .executeTakeFirst();
      return Number(row?.count ?? 0);
    },
  };
}
