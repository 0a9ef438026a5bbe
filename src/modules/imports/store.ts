import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import type { ImportChangeRow, ImportChunkRow, ImportFailureRow, ImportRow } from "#db/schema-people.ts";
import type { Tx } from "#src/core/tx.ts";

interface Key {
  env_id: number;
  import_id: string;
}

/** Rows that are removed at a time, so that nobody waits for housekeeping. */
const CHUNKS_REMOVED_MAX = 4;
const ROWS_REMOVED_MAX = 200;

export function createImportStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  const chunk = db.prepare<Key & { seq: number }, { data: Uint8Array }>((q, v) =>
    q
      .selectFrom("import_chunks")
      .select("data")
      .where("env_id", "=", v("env_id"))
      .where("import_id", "=", v("import_id"))
      .where("seq", "=", v("seq")),
  );
  const addChunk = db.prepare<ImportChunkRow>((q, v) =>
    q.insertInto("import_chunks").values({ env_id: v("env_id"), import_id: v("import_id"), seq: v("seq"), data: v("data") }),
  );
  const dropChunks = db.prepare<Key & { seq: number }>((q, v) =>
    q.deleteFrom("import_chunks").where("env_id", "=", v("env_id")).where("import_id", "=", v("import_id")).where("seq", "<", v("seq")),
  );
  const addFailure = db.prepare<ImportFailureRow>((q, v) =>
    q.insertInto("import_failures").values({
      env_id: v("env_id"),
      import_id: v("import_id"),
      line: v("line"),
      code: v("code"),
      field: v("field"),
      message: v("message"),
    }),
  );
  const addChange = db.prepare<ImportChangeRow>((q, v) =>
    q.insertInto("import_changes").values({
      env_id: v("env_id"),
      import_id: v("import_id"),
      seq: v("seq"),
      first_number: v("first_number"),
      last_number: v("last_number"),
      contact_id: v("contact_id"),
      written_at: v("written_at"),
      data: v("data"),
    }),
  );
  const rangeAt = db.prepare<Key & { number: number }, { last_number: number | null }>((q, v) =>
    q
      .selectFrom("import_changes")
      .select("last_number")
      .where("env_id", "=", v("env_id"))
      .where("import_id", "=", v("import_id"))
      .where("first_number", "<=", v("number"))
      .orderBy("first_number", "desc")
      .limit(1),
  );
  const row = (tx: Tx | null, env_id: number) =>
    (tx === null ? db.read : db.in(tx)).selectFrom("imports").selectAll().where("env_id", "=", env_id);

  /** Removes some rows of a table by their second key. @returns how many */
  async function removeSome(
    tx: Tx,
    { env_id, import_id }: Key,
    table: "import_chunks" | "import_failures" | "import_changes",
    by: "seq" | "line",
    most: number,
  ): Promise<number> {
    const ref = sql.ref(by);
    const { numAffectedRows = 0n } =
      await sql`delete from ${sql.table(table)} where env_id = ${env_id} and import_id = ${import_id} and ${ref} in (select ${ref} from ${sql.table(table)} where env_id = ${env_id} and import_id = ${import_id} order by ${ref} limit ${most})`.execute(
        db.in(tx),
      );
    return Number(numAffectedRows);
  }

  return {
    /** Whether a transaction holds the whole process up while it runs. */
    holdsUp: isSqlite,
    insert: async (tx: Tx, values: ImportRow) => void (await db.in(tx).insertInto("imports").values(values).execute()),
    async addChunk(tx: Tx, values: ImportChunkRow, now: number): Promise<void> {
      addChunk.later(tx, values);
      await db
        .in(tx)
        .updateTable("imports")
        .set({ touched_at: now })
        .where("env_id", "=", values.env_id)
        .where("id", "=", values.import_id)
        .execute();
    },
    chunk: async (env_id: number, import_id: string, seq: number): Promise<Uint8Array | undefined> =>
      (await chunk.one(null, { env_id, import_id, seq }))?.data,
    /** Those before one. */
    dropChunks: (tx: Tx, env_id: number, import_id: string, seq: number): void => dropChunks.later(tx, { env_id, import_id, seq }),
    addFailure: (tx: Tx, values: ImportFailureRow): void => addFailure.later(tx, values),
    addChange: (tx: Tx, values: ImportChangeRow): void => addChange.later(tx, values),
    /** Whether an import has made who has this number. */
    async hasMade(tx: Tx, env_id: number, import_id: string, number: number): Promise<boolean> {
      const found = await rangeAt.one(tx, { env_id, import_id, number });
      return (found?.last_number ?? -1) >= number;
    },
    find: (env_id: number, job_id: string): Promise<ImportRow | undefined> =>
      row(null, env_id).where("job_id", "=", job_id).executeTakeFirst(),
    /** Nobody else changes it until the transaction ends. */
    lock: (tx: Tx, env_id: number, job_id: string): Promise<ImportRow | undefined> =>
      row(tx, env_id)
        .where("job_id", "=", job_id)
        .$if(!isSqlite, (q) => q.forUpdate())
        .executeTakeFirst(),
    set: async (tx: Tx, env_id: number, id: string, values: Partial<ImportRow>) =>
      void (await db.in(tx).updateTable("imports").set(values).where("env_id", "=", env_id).where("id", "=", id).execute()),
    failures: (env_id: number, import_id: string): Promise<ImportFailureRow[]> =>
      db.slowly(
        db.read.selectFrom("import_failures").selectAll().where("env_id", "=", env_id).where("import_id", "=", import_id).orderBy("line"),
      ),
    /** The last changes before one, the latest first. */
    changesBefore: (env_id: number, import_id: string, seq: number, most: number): Promise<ImportChangeRow[]> =>
      db.read
        .selectFrom("import_changes")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("import_id", "=", import_id)
        .where("seq", "<", seq)
        .orderBy("seq", "desc")
        .limit(most)
        .execute(),
    /** How many contacts an import has made, and how many changes to others it has noted. */
    async weigh(tx: Tx, env_id: number, import_id: string): Promise<number> {
      const { total } = await db
        .in(tx)
        .selectFrom("import_changes")
        .select(
          sql<number | string>`coalesce(sum(case when data is not null then 1 else coalesce(last_number - first_number + 1, 0) end), 0)`.as(
            "total",
          ),
        )
        .where("env_id", "=", env_id)
        .where("import_id", "=", import_id)
        .executeTakeFirstOrThrow();
      return Number(total);
    },
    /** When an import has written again to those whom it had made. */
    async rewritten(tx: Tx, env_id: number, import_id: string, first: number, last: number): Promise<ReadonlyMap<string, number>> {
      const rows = await db
        .in(tx)
        .selectFrom("import_changes")
        .select(({ fn }) => ["contact_id", fn.max("written_at").as("at")])
        .where("env_id", "=", env_id)
        .where("import_id", "=", import_id)
        .where("data", "is", null)
        .where("contact_id", "in", (q) =>
          q.selectFrom("contacts").select("id").where("env_id", "=", env_id).where("number", ">=", first).where("number", "<=", last),
        )
        .groupBy("contact_id")
        .execute();
      return new Map(rows.map(({ contact_id, at }) => [contact_id!, at]));
    },
    /** Forgets what imports have noted of a contact. */
    forgetContact: async (tx: Tx, env_id: number, contact_id: string) =>
      void (await db.in(tx).deleteFrom("import_changes").where("env_id", "=", env_id).where("contact_id", "=", contact_id).execute()),
    /** Of all environments: uploads that nobody goes on with, imports that ended long ago, and files that are needed no more. */
    async due(untouchedSince: number, endedBefore: number): Promise<{ env_id: number; id: string; whole: boolean }[]> {
      const rows = await db.read
        .selectFrom("imports as i")
        .select(["i.env_id", "i.id", "i.job_id", "i.ended_at"])
        .where((where) =>
          where.or([
            where.and([where("i.job_id", "is", null), where("i.touched_at", "<", untouchedSince)]),
            where("i.ended_at", "<", endedBefore),
            where.and([
              where("i.ended_at", "is not", null),
              where.exists(
                where
                  .selectFrom("import_chunks as c")
                  .select("c.seq")
                  .whereRef("c.env_id", "=", "i.env_id")
                  .whereRef("c.import_id", "=", "i.id"),
              ),
            ]),
          ]),
        )
        .execute();
      return rows.map(({ env_id, id, job_id, ended_at }) => ({ env_id, id, whole: job_id === null || (ended_at ?? 0) < endedBefore }));
    },
    /** Removes some of what is kept of an import. @param whole the file alone otherwise @returns whether there may be more */
    async removeSome(tx: Tx, env_id: number, import_id: string, whole: boolean): Promise<boolean> {
      const key = { env_id, import_id };
      if ((await removeSome(tx, key, "import_chunks", "seq", CHUNKS_REMOVED_MAX)) > 0) return true;
      if (!whole) return false;
      if ((await removeSome(tx, key, "import_failures", "line", ROWS_REMOVED_MAX)) > 0) return true;
      if ((await removeSome(tx, key, "import_changes", "seq", ROWS_REMOVED_MAX)) > 0) return true;
      await db.in(tx).deleteFrom("imports").where("env_id", "=", env_id).where("id", "=", import_id).execute();
      return false;
    },
  };
}

export type { ImportRow };
export type ImportStore = ReturnType<typeof createImportStore>;
