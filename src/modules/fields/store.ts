import { sql } from "kysely";
import type { Database } from "#db/database.ts";
import { isUniqueViolation } from "#db/errors.ts";
import type { FieldRow } from "#db/schema-people.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { FieldFilter, FieldObject } from "./model.ts";

/** Which contact has a value in which field. */
export interface ValuePlace {
  env_id: number;
  field_id: string;
  contact_row: number;
}

export function createFieldStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  // Each write of a contact with fields reads them.
  const definitions = db.prepare<{ env_id: number; object: string }, FieldRow>((q, v) =>
    q.selectFrom("fields").selectAll().where("env_id", "=", v("env_id")).where("object", "=", v("object")).orderBy("id"),
  );
  const addText = db.prepare<ValuePlace & { txt: string }>((q, v) =>
    q
      .insertInto("contact_values")
      .values({ env_id: v("env_id"), field_id: v("field_id"), txt: v("txt"), num: null, contact_row: v("contact_row") }),
  );
  const addNumber = db.prepare<ValuePlace & { num: number }>((q, v) =>
    q
      .insertInto("contact_values")
      .values({ env_id: v("env_id"), field_id: v("field_id"), txt: null, num: v("num"), contact_row: v("contact_row") }),
  );
  const removeText = db.prepare<ValuePlace & { txt: string }>((q, v) =>
    q
      .deleteFrom("contact_values")
      .where("env_id", "=", v("env_id"))
      .where("field_id", "=", v("field_id"))
      .where("txt", "=", v("txt"))
      .where("contact_row", "=", v("contact_row")),
  );
  const removeNumber = db.prepare<ValuePlace & { num: number }>((q, v) =>
    q
      .deleteFrom("contact_values")
      .where("env_id", "=", v("env_id"))
      .where("field_id", "=", v("field_id"))
      .where("num", "=", v("num"))
      .where("contact_row", "=", v("contact_row")),
  );
  const narrow = (env_id: number, { object }: FieldFilter) =>
    db.read
      .selectFrom("fields")
      .where("env_id", "=", env_id)
      .$if(object !== undefined, (q) => q.where("object", "=", object!));

  return {
    /** A key that is taken. */
    isDuplicate: isUniqueViolation,
    /** All fields of one kind of things. @param tx null reads the last committed snapshot */
    definitions: (tx: Tx | null, env_id: number, object: FieldObject): Maybe<FieldRow[]> => definitions.all(tx, { env_id, object }),
    get: (env_id: number, id: string) =>
      db.read.selectFrom("fields").selectAll().where("env_id", "=", env_id).where("id", "=", id).executeTakeFirst(),
    lock: (tx: Tx, env_id: number, id: string) =>
      db
        .in(tx)
        .selectFrom("fields")
        .selectAll()
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .$if(!isSqlite, (query) => query.forUpdate())
        .executeTakeFirst(),
    /** How many fields there are; others that make one wait, so that together they don't make too many. */
    async countAlone(tx: Tx, env_id: number, object: FieldObject): Promise<number> {
      if (!isSqlite) await sql`select pg_advisory_xact_lock(hashtextextended(${`fields ${env_id} ${object}`}, 7421))`.execute(db.in(tx));
      return (await definitions.all(tx, { env_id, object })).length;
    },
    insert: async (tx: Tx, row: FieldRow) => {
      await db.in(tx).insertInto("fields").values(row).execute();
    },
    update: async (tx: Tx, { env_id, id, key, label, options, updated_at }: FieldRow) => {
      await db
        .in(tx)
        .updateTable("fields")
        .set({ key, label, options, updated_at })
        .where("env_id", "=", env_id)
        .where("id", "=", id)
        .execute();
    },
    remove: async (tx: Tx, env_id: number, id: string) => {
      await db.in(tx).deleteFrom("fields").where("env_id", "=", env_id).where("id", "=", id).execute();
    },
    page: (env_id: number, by: FieldFilter, before: string | null, offset: number, most: number) =>
      narrow(env_id, by)
        .selectAll()
        .$if(before !== null, (query) => query.where("id", "<", before!))
        .orderBy("id", "desc")
        .offset(offset)
        .limit(most)
        .execute(),
    /** There are never so many that counting takes long. */
    async count(env_id: number, by: FieldFilter): Promise<number> {
      const row = await narrow(env_id, by)
        .select(({ fn }) => fn.countAll<number>().as("total"))
        .executeTakeFirstOrThrow();
      return row.total;
    },

    addValue: (tx: Tx, place: ValuePlace, value: string | number): void =>
      typeof value === "string" ? addText.later(tx, { ...place, txt: value }) : addNumber.later(tx, { ...place, num: value }),
    removeValue: (tx: Tx, place: ValuePlace, value: string | number): void =>
      typeof value === "string" ? removeText.later(tx, { ...place, txt: value }) : removeNumber.later(tx, { ...place, num: value }),
    /**
     * Takes values of a field away from contacts, and out of the index.
     * @param kind where the index has them
     * @returns how many, up to `most`
     */
    async forgetValues(tx: Tx, env_id: number, field_id: string, kind: "txt" | "num", most: number): Promise<number> {
      const q = db.in(tx);
      const place = sql.ref(isSqlite ? "rowid" : "ctid");
      const { rows } = await sql<{ contact_row: number }>`
        delete from contact_values where ${place} in (
          select ${place} from contact_values where env_id = ${env_id} and field_id = ${field_id} and ${sql.ref(kind)} is not null limit ${most}
        ) returning contact_row`.execute(q);
      const contacts = [...new Set(rows.map(({ contact_row }) => contact_row))];
      if (contacts.length === 0) return 0;
      const rest = isSqlite
        ? sql<string>`json_remove(fields, ${`$."${field_id}"`})`
        : sql<string>`(fields::jsonb - ${field_id}::text)::text`;
      await q.updateTable("contacts").set({ fields: rest }).where("row", "in", contacts).where("env_id", "=", env_id).execute();
      return rows.length;
    },
  };
}

export type { FieldRow };
export type FieldStore = ReturnType<typeof createFieldStore>;
