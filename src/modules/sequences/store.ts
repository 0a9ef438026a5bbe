import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { isUniqueViolation } from "#db/errors.ts";
import { countRows } from "#db/paging.ts";
import type { SequenceRow, SequenceVersionRow } from "#db/schema-sequences.ts";
import type { Tx } from "#src/core/tx.ts";
import type { SequenceFilter } from "./model.ts";

/** A sequence with the definition of its newest version. */
export type DefinedRow = SequenceRow & Pick<SequenceVersionRow, "definition">;

export function createSequenceStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  /** On PostgreSQL whoever else makes, changes or activates one in the environment waits until the transaction ends. */
  const alone = async (tx: Tx, env_id: number): Promise<void> => {
    if (!isSqlite) await sql`select pg_advisory_xact_lock(hashtextextended(${`sequences ${env_id}`}, 7421))`.execute(db.in(tx));
  };
  const narrow = (env_id: number, { status }: SequenceFilter) =>
    db.read
      .selectFrom("sequences")
      .where("sequences.env_id", "=", env_id)
      .$if(status !== undefined, (q) => q.where("status", "=", status!));
  const defined = (env_id: number, by: SequenceFilter) =>
    narrow(env_id, by)
      .innerJoin("sequence_versions as newest", (join) =>
        join
          .onRef("newest.env_id", "=", "sequences.env_id")
          .onRef("newest.sequence_id", "=", "sequences.id")
          .onRef("newest.version", "=", "sequences.version"),
      )
      .selectAll("sequences")
      .select("newest.definition");
  const versionsOf = (env_id: number, sequence_id: string) =>
    db.read.selectFrom("sequence_versions").selectAll().where("env_id", "=", env_id).where("sequence_id", "=", sequence_id);

  return {
    /** A name that is taken. */
    isDuplicate: isUniqueViolation,
    get: (env_id: number, id: string): Promise<DefinedRow | undefined> =>
      defined(env_id, {}).where("sequences.id", "=", id).executeTakeFirst(),
    async lock(tx: Tx, env_id: number, id: string): Promise<DefinedRow | undefined> {
      const row = await db
        .in(tx)
        .selectFrom("sequences")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .$if(!isSqlite, (query) => query.forUpdate())
        .executeTakeFirst();
      if (row === undefined) return undefined;
      // Not in one go with the row: on PostgreSQL whoever waited for it would join it with the version from before.
      const { definition } = await db
        .in(tx)
        .selectFrom("sequence_versions")
        .select("definition")
        .where("env_id", "=", env_id)
        .where("sequence_id", "=", id)
        .where("version", "=", row.version)
        .executeTakeFirstOrThrow();
      return { ...row, definition };
    },
    /** Its status within a transaction. */
    status: (tx: Tx, env_id: number, id: string) =>
      db.in(tx).selectFrom("sequences").select("status").where("env_id", "=", env_id).where("id", "=", id).executeTakeFirst(),
    alone,
    /** The versions in which a part stands and that contacts go through or can enter; nobody makes or changes one until the transaction ends. */
    async runningAlone(
      tx: Tx,
      env_id: number,
      part: string,
    ): Promise<(Pick<SequenceRow, "id" | "name"> & Pick<SequenceVersionRow, "definition">)[]> {
      await alone(tx, env_id);
      return db
        .in(tx)
        .selectFrom("sequences as s")
        .innerJoin("sequence_versions as v", (join) => join.onRef("v.env_id", "=", "s.env_id").onRef("v.sequence_id", "=", "s.id"))
        .select(["s.id", "s.name", "v.definition"])
        .where("s.env_id", "=", env_id)
        .where("s.status", "in", ["active", "paused"])
        .where("v.definition", "like", `%${part}%`)
        .where(({ eb, exists, or, ref, selectFrom }) =>
          or([
            eb("v.version", "=", ref("s.version")),
            exists(
              selectFrom("enrollments as e")
                .select("e.id")
                .where("e.env_id", "=", env_id)
                .whereRef("e.sequence_id", "=", "v.sequence_id")
                .whereRef("e.version", "=", "v.version")
                .where("e.status", "in", ["active", "paused"]),
            ),
          ]),
        )
        .orderBy("s.id")
        .execute();
    },
    /** How many are not archived; others that make one wait, so that together they don't make too many. */
    async countAlone(tx: Tx, env_id: number): Promise<number> {
      await alone(tx, env_id);
      const { total } = await db
        .in(tx)
        .selectFrom("sequences")
        .select(({ fn }) => fn.countAll<number>().as("total"))
        .where("env_id", "=", env_id)
        .where("status", "<>", "archived")
        .executeTakeFirstOrThrow();
      return total;
    },
    /** Of all versions those in which a part stands. */
    async definitions(tx: Tx, env_id: number, id: string, part: string): Promise<string[]> {
      const rows = await db
        .in(tx)
        .selectFrom("sequence_versions")
        .select("definition")
        .where("env_id", "=", env_id)
        .where("sequence_id", "=", id)
        .where("definition", "like", `%${part}%`)
        .execute();
      return rows.map(({ definition }) => definition);
    },
    /** Whether a part stands in a version of another sequence that is not archived. */
    async isNamedElsewhere(tx: Tx, env_id: number, id: string, part: string): Promise<boolean> {
      const other = db
        .in(tx)
        .selectFrom("sequences as s")
        .innerJoin("sequence_versions as v", (join) => join.onRef("v.env_id", "=", "s.env_id").onRef("v.sequence_id", "=", "s.id"))
        .select("s.id")
        .where("s.env_id", "=", env_id)
        .where("s.id", "<>", id)
        .where("s.status", "<>", "archived")
        .where("v.definition", "like", `%${part}%`)
        .limit(1);
      return (await other.executeTakeFirst()) !== undefined;
    },
    insert: async (tx: Tx, { definition: _kept, ...row }: DefinedRow) => {
      await db.in(tx).insertInto("sequences").values(row).execute();
    },
    update: async (tx: Tx, { env_id, id, name, status, version, metadata, updated_at }: SequenceRow) => {
      await db
        .in(tx)
        .updateTable("sequences")
        .set({ name, status, version, metadata, updated_at })
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .execute();
    },
    insertVersion: async (tx: Tx, row: SequenceVersionRow) => {
      await db.in(tx).insertInto("sequence_versions").values(row).execute();
    },
    page: (env_id: number, by: SequenceFilter, before: string | null, offset: number, most: number): Promise<DefinedRow[]> =>
      defined(env_id, by)
        .$if(before !== null, (query) => query.where("sequences.id", "<", before!))
        .orderBy("sequences.id", "desc")
        .offset(offset)
        .limit(most)
        .execute(),
    count: (env_id: number, by: SequenceFilter) => countRows(db, narrow(env_id, by), Object.keys(by).length > 0),
    versionPage: (env_id: number, sequence_id: string, before: number | null, offset: number, most: number) =>
      versionsOf(env_id, sequence_id)
        .$if(before !== null, (query) => query.where("version", "<", before!))
        .orderBy("version", "desc")
        .offset(offset)
        .limit(most)
        .execute(),
  };
}

export type { SequenceRow, SequenceVersionRow };
export type SequenceStore = ReturnType<typeof createSequenceStore>;
