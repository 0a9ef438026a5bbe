import type { Database } from "#db/database.ts";
import { countRows, newestFirst } from "#db/paging.ts";
import type { AuditRow } from "#db/schema.ts";
import { lowestId } from "#src/core/ids.ts";
import type { Tx } from "#src/core/tx.ts";

/** A list's filter, in the store's terms. */
export interface Narrowed {
  actor?: string;
  subject?: string;
  operation?: string;
  created_after?: number;
  created_before?: number;
}

export function createAuditStore(db: Database) {
  const insert = db.prepare<AuditRow>((q, v) =>
    q.insertInto("audit").values({
      env_id: v("env_id"),
      id: v("id"),
      actor: v("actor"),
      operation: v("operation"),
      subject: v("subject"),
      before: v("before"),
      after: v("after"),
      created_at: v("created_at"),
    }),
  );
  const narrow = (env_id: number, by: Narrowed) =>
    db.read
      .selectFrom("audit")
      .where("env_id", "=", env_id)
      .$if(by.actor !== undefined, (q) => q.where("actor", "=", by.actor!))
      .$if(by.subject !== undefined, (q) => q.where("subject", "=", by.subject!))
      .$if(by.operation !== undefined, (q) => q.where("operation", "=", by.operation!))
      // Ids carry their time: a range of times is a range of the primary key.
      .$if(by.created_after !== undefined, (q) => q.where("id", ">=", lowestId("aud", by.created_after!)))
      .$if(by.created_before !== undefined, (q) => q.where("id", "<", lowestId("aud", by.created_before!)));

  return {
    insert: (tx: Tx, row: AuditRow): void => insert.later(tx, row),
    page: (env_id: number, by: Narrowed, before: string | null, offset: number, most: number) =>
      newestFirst(narrow(env_id, by), { before, offset, most }),
    /** Exact for all of an environment's changes; under a filter up to TOTAL_MAX. */
    count: (env_id: number, by: Narrowed) => countRows(db, narrow(env_id, by), Object.keys(by).length > 0),
  };
}

export type { AuditRow };
export type AuditStore = ReturnType<typeof createAuditStore>;
