import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { isUniqueViolation } from "#db/errors.ts";
import { countRows, newestFirst } from "#db/paging.ts";
import type { SegmentRow } from "#db/schema-people.ts";
import type { Tx } from "#src/core/tx.ts";
import type { SegmentFilter } from "./model.ts";

export function createSegmentStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  const narrow = (env_id: number, { object }: SegmentFilter) =>
    db.read
      .selectFrom("segments")
      .where("env_id", "=", env_id)
      .$if(object !== undefined, (q) => q.where("object", "=", object!));

  return {
    /** A name that is taken. */
    isDuplicate: isUniqueViolation,
    get: (env_id: number, id: string) => narrow(env_id, {}).selectAll().where("id", "=", id).executeTakeFirst(),
    byName: (env_id: number, object: string, name: string) =>
      narrow(env_id, {}).selectAll().where("object", "=", object).where("name", "=", name).executeTakeFirst(),
    lock: (tx: Tx, env_id: number, id: string) =>
      db
        .in(tx)
        .selectFrom("segments")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .$if(!isSqlite, (query) => query.forUpdate())
        .executeTakeFirst(),
    /** All of an environment, for one at a time: who writes a filter, and who takes away what a filter could name. */
    async allAlone(tx: Tx, env_id: number): Promise<SegmentRow[]> {
      if (!isSqlite) await sql`select pg_advisory_xact_lock(hashtextextended(${`segments ${env_id}`}, 7421))`.execute(db.in(tx));
      return db.in(tx).selectFrom("segments").selectAll().where("env_id", "=", env_id).orderBy("id").execute();
    },
    insert: async (tx: Tx, row: SegmentRow) => {
      await db.in(tx).insertInto("segments").values(row).execute();
    },
    update: async (tx: Tx, { env_id, id, name, description, filter, updated_at }: SegmentRow) => {
      await db
        .in(tx)
        .updateTable("segments")
        .set({ name, description, filter, updated_at })
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .execute();
    },
    remove: async (tx: Tx, env_id: number, id: string) => {
      await db.in(tx).deleteFrom("segments").where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    page: (env_id: number, by: SegmentFilter, before: string | null, offset: number, most: number) =>
      newestFirst(narrow(env_id, by), { before, offset, most }),
    count: (env_id: number, by: SegmentFilter) => countRows(db, narrow(env_id, by), Object.keys(by).length > 0),
  };
}

export type { SegmentRow };
export type SegmentStore = ReturnType<typeof createSegmentStore>;
