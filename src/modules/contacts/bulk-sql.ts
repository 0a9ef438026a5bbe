import { type RawBuilder, sql } from "kysely";
import type { Build, Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import type { ContactRow } from "#db/schema-people.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { columns } from "./columns.ts";
import { identities, type Identity } from "./identity.ts";

/** A contact that is put in, with what it is looked up by. */
export interface WholeContact {
  row: ContactRow;
  words: readonly string[];
  tags: readonly string[];
  values: readonly { field_id: string; value: string | number }[];
}

type AddValue = (tx: Tx, place: { env_id: number; field_id: string; contact_row: number }, value: string | number) => void;

const raw =
  <Values extends object>(statement: (value: Parameters<Build<Values>>[1]) => RawBuilder<unknown>): Build<Values> =>
  (q, v) => ({ compile: () => statement(v).compile(q), execute: undefined as never });

const numbers = new Set(["row", "number", "telegram_id", "last_seen_at", "deleted_at", "created_at", "updated_at"]);
const written = ["row", ...columns] as const;
const typed = sql.raw(written.map((name) => `${name} ${name === "env_id" ? "integer" : numbers.has(name) ? "bigint" : "text"}`).join(", "));
const names = sql.raw(written.join(", "));

/** Contacts by the hundred, as an import reads and writes them. */
export function createBulkStore(db: Database, addValue: AddValue) {
  const isSqlite = db.engine === "sqlite";
  const found = Object.fromEntries(
    identities.map((name) => [
      name,
      db.prepare<{ env_id: number; values: string }, ContactRow>((q, v) =>
        q
          .selectFrom("contacts")
          .select(["row", ...columns])
          .where("env_id", "=", v("env_id"))
          .where(
            name,
            "in",
            isSqlite || name !== "telegram_id"
              ? listOf(db.engine, v("values"))
              : sql<string>`(select value::bigint from json_array_elements_text(${v("values")}::text::json))`,
          )
          .where("deleted_at", "is", null)
          .$if(!isSqlite, (query) => query.orderBy("id").forUpdate()),
      ),
    ]),
  );
  const ranged = db.prepare<{ env_id: number; first: number; last: number }, ContactRow>((q, v) =>
    q
      .selectFrom("contacts")
      .select(["row", ...columns])
      .where("env_id", "=", v("env_id"))
      .where("number", ">=", v("first"))
      .where("number", "<=", v("last"))
      .where("deleted_at", "is", null)
      .orderBy("number")
      .$if(!isSqlite, (query) => query.forUpdate()),
  );
  const lastRow = db.prepare<object, { row: number | null }>((q) => q.selectFrom("contacts").select(({ fn }) => fn.max("row").as("row")));
  const nextRows = db.prepare<{ many: number }, { row: number }>(
    raw((v) => sql`select nextval(pg_get_serial_sequence('contacts', 'row')) as row from generate_series(1, ${v("many")}::integer)`),
  );
  const insert = db.prepare<ContactRow>((q, v) =>
    q.insertInto("contacts").values(Object.fromEntries(written.map((name) => [name, v(name)])) as unknown as ContactRow),
  );
  const insertWords = db.prepare<{ row: number; words: string }>(
    raw((v) => sql`insert into contact_words (rowid, words) values (${v("row")}, ${v("words")})`),
  );
  const insertTag = db.prepare<{ env_id: number; tag: string; contact_row: number }>((q, v) =>
    q.insertInto("contact_tags").values({ env_id: v("env_id"), tag: v("tag"), contact_row: v("contact_row") }),
  );
  // What is pipelined row by row is still parsed row by row: one statement for all of a table's rows.
  const insertAll = db.prepare<{ json: string }>(
    raw(
      (v) =>
        sql`insert into contacts (${names}, words) select ${names}, array_to_tsvector(array(select json_array_elements_text(found_by))) from json_to_recordset(${v("json")}::text::json) as given (${typed}, found_by json)`,
    ),
  );
  const insertTags = db.prepare<{ json: string }>(
    raw(
      (v) =>
        sql`insert into contact_tags (env_id, tag, contact_row) select env_id, tag, contact_row from json_to_recordset(${v("json")}::text::json) as given (env_id integer, tag text, contact_row bigint)`,
    ),
  );
  const insertValues = db.prepare<{ json: string }>(
    raw(
      (v) =>
        sql`insert into contact_values (env_id, field_id, txt, num, contact_row) select env_id, field_id, txt, num, contact_row from json_to_recordset(${v("json")}::text::json) as given (env_id integer, field_id text, txt text, num double precision, contact_row bigint)`,
    ),
  );

  function insertOne(tx: Tx, { row, words, tags, values }: WholeContact): void {
    const { env_id, row: contact_row } = row;
    insert.later(tx, row);
    if (words.length > 0) insertWords.later(tx, { row: contact_row, words: words.map((word) => `${env_id}_${word}`).join(" ") });
    for (const tag of tags) insertTag.later(tx, { env_id, tag, contact_row });
    for (const { field_id, value } of values) addValue(tx, { env_id, field_id, contact_row }, value);
  }

  function insertTogether(tx: Tx, people: readonly WholeContact[]): void {
    const rows = people.map(({ row, words }) => ({ ...row, found_by: words.map((word) => `${row.env_id}_${word}`) }));
    const tags = people.flatMap(({ row, tags }) => tags.map((tag) => ({ env_id: row.env_id, tag, contact_row: row.row })));
    const values = people.flatMap(({ row, values }) =>
      values.map(({ field_id, value }) => {
        const place = { env_id: row.env_id, field_id, contact_row: row.row };
        return typeof value === "string" ? { ...place, txt: value, num: null } : { ...place, txt: null, num: value };
      }),
    );
    insertAll.later(tx, { json: JSON.stringify(rows) });
    if (tags.length > 0) insertTags.later(tx, { json: JSON.stringify(tags) });
    if (values.length > 0) insertValues.later(tx, { json: JSON.stringify(values) });
  }

  return {
    /** Who has one of these values of an identity; on PostgreSQL held until the transaction ends. */
    byIdentity: (tx: Tx, env_id: number, name: Identity, values: readonly (string | number)[]): Maybe<ContactRow[]> =>
      found[name]!.all(tx, { env_id, values: JSON.stringify(values) }),
    /** Those with a number of this range that are not deleted, held likewise. */
    numbered: (tx: Tx, env_id: number, first: number, last: number): Maybe<ContactRow[]> => ranged.all(tx, { env_id, first, last }),
    /** Numbers of the whole database for new contacts, in their order. */
    async nextRows(tx: Tx, many: number): Promise<number[]> {
      if (!isSqlite) return (await nextRows.all(tx, { many })).map(({ row }) => row);
      const last = (await lastRow.one(tx, {}))?.row ?? 0;
      return Array.from({ length: many }, (_, at) => last + 1 + at);
    },
    insert(tx: Tx, people: readonly WholeContact[]): void {
      if (isSqlite) for (const person of people) insertOne(tx, person);
      else insertTogether(tx, people);
    },
  };
}

export type BulkStore = ReturnType<typeof createBulkStore>;
