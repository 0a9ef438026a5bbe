import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { lowestId } from "#src/core/ids.ts";
import type { Tx } from "#src/core/tx.ts";

/** Removes what is kept of deliveries for its time. */
export function createDeliveryPurge(db: Database) {
  return {
    /**
     * Deliveries that were made before a time and wait for nothing, the oldest first.
     * @param before ms @returns how many it removed; fewer than `most` when none is left
     */
    async deliveries(tx: Tx, env_id: number, before: number, most: number): Promise<number> {
      // An id has its event's time, which no delivery precedes: so the range ends where nothing can be old enough.
      const old = db
        .in(tx)
        .selectFrom("deliveries")
        .select("id")
        .where("env_id", "=", env_id)
        .where("id", "<", lowestId("dlv", before))
        .where("created_at", "<", before)
        .where("status", "<>", "pending")
        .orderBy("id")
        .limit(most);
      const { numDeletedRows } = await db
        .in(tx)
        .deleteFrom("deliveries")
        .where("env_id", "=", env_id)
        .where("id", "in", old)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
    /** The figures of hours before a time. @param before ms @returns as `deliveries` */
    async hours(tx: Tx, env_id: number, before: number, most: number): Promise<number> {
      const old = db
        .in(tx)
        .selectFrom("webhooks as w")
        .innerJoin("webhook_hours as h", (join) => join.onRef("h.env_id", "=", "w.env_id").onRef("h.webhook_id", "=", "w.id"))
        .select(["h.webhook_id", "h.hour"])
        .where("w.env_id", "=", env_id)
        .where("h.hour", "<", before)
        .limit(most);
      const { numDeletedRows } = await db
        .in(tx)
        .deleteFrom("webhook_hours")
        .where("env_id", "=", env_id)
        .where(sql<boolean>`(webhook_id, hour) in ${old}`)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
  };
}
