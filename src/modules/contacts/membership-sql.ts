import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { Tx } from "#src/core/tx.ts";
import { compileCondition } from "./condition-sql.ts";
import type { ContactCondition } from "./model.ts";

/** Tells whether a condition holds for one contact, as the transaction sees it. */
export function createMembership(db: Database) {
  return async (tx: Tx, env_id: number, condition: ContactCondition, contact_id: string): Promise<boolean> => {
    const found = await db
      .in(tx)
      .selectFrom("contacts as c")
      .select(sql.lit(1).as("one"))
      .where("c.env_id", "=", env_id)
      .where("c.id", "=", contact_id)
      .where(compileCondition(db.engine, env_id, condition))
      .executeTakeFirst();
    return found !== undefined;
  };
}
