import type { Database } from "#db/database.ts";
import { isUniqueViolation } from "#db/errors.ts";
import type { IdempotencyRow } from "#db/schema.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

type Place = Pick<IdempotencyRow, "env_id" | "operation" | "key">;

export function createIdempotencyStore(db: Database) {
  const find = db.prepare<Place, IdempotencyRow>((q, v) =>
    q
      .selectFrom("idempotency")
      .selectAll()
      .where("env_id", "=", v("env_id"))
      .where("operation", "=", v("operation"))
      .where("key", "=", v("key")),
  );
  const insert = db.prepare<IdempotencyRow>((q, v) =>
    q.insertInto("idempotency").values({
      env_id: v("env_id"),
      operation: v("operation"),
      key: v("key"),
      fingerprint: v("fingerprint"),
      status: v("status"),
      body: v("body"),
      sealed: v("sealed"),
      created_at: v("created_at"),
      expires_at: v("expires_at"),
    }),
  );
  const at = ({ env_id, operation, key }: Place) => ({ env_id, operation, key });
  return {
    find: (tx: Tx | null, place: Place): Maybe<IdempotencyRow | undefined> => find.one(tx, at(place)),
    insert: (tx: Tx, row: IdempotencyRow): void => insert.later(tx, row),
    finish: async (tx: Tx, row: IdempotencyRow) => {
      const { status, body, sealed, expires_at } = row;
      await remainder(tx, row).set({ status, body, sealed, expires_at }).execute();
    },
    remove: async (tx: Tx, { env_id, operation, key }: Place) => {
      await db
        .in(tx)
        .deleteFrom("idempotency")
        .where("env_id", "=", env_id)
        .where("operation", "=", operation)
        .where("key", "=", key)
        .execute();
    },
    /** Removes what has expired, in every environment: housekeeping's door. @returns how many */
    async purge(tx: Tx, now: number, most: number): Promise<number> {
      const old = await db
        .in(tx)
        .selectFrom("idempotency")
        .select(["env_id", "operation", "key"])
        .where("expires_at", "<=", now)
        .orderBy("expires_at")
        .limit(most)
        .execute();
      for (const row of old) await this.remove(tx, row);
      return old.length;
    },
    isDuplicate: isUniqueViolation,
  };

  function remainder(tx: Tx, { env_id, operation, key }: Place) {
    return db.in(tx).updateTable("idempotency").where("env_id", "=", env_id).where("operation", "=", operation).where("key", "=", key);
  }
}

export type { IdempotencyRow };
export type IdempotencyStore = ReturnType<typeof createIdempotencyStore>;
