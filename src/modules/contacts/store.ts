import { type RawBuilder, sql } from "kysely";
import type { Build, Database } from "#db/database.ts";
import { listOf } from "#db/list.ts";
import { countRows } from "#db/paging.ts";
import type { ContactRow, TallyRow } from "#db/schema-people.ts";
import type { CsvPart } from "#src/core/csv.ts";
import { lowestId } from "#src/core/ids.ts";
import { PAGE_MAX } from "#src/core/page.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { changeable, columns } from "./columns.ts";
import { compileCondition, leadingParts } from "./condition-sql.ts";
import type { ContactColumn } from "./csv.ts";
import { fieldPart, leadOf, type SoughtValue, tagPart } from "./lead-sql.ts";
import { identities, type Identities, type Identity } from "./identity.ts";
import type { ContactCondition, ContactSort } from "./model.ts";

export type NewContactRow = Omit<ContactRow, "row">;

/** What a list is narrowed by. */
export interface Narrowed {
  /** Folded; each is a word or the beginning of one. */
  words?: readonly string[];
  tag?: string;
  field?: SoughtValue;
  where?: ContactCondition;
  created_after?: number;
  created_before?: number;
  seen_after?: number;
  seen_before?: number;
}

/** The last contact of the page before: its place in the order, and its id. */
export interface Place {
  at: string | number;
  id: string;
}

/** A statement that Kysely has no builder for. */
const raw =
  <Values extends object>(statement: (value: Parameters<Build<Values>>[1]) => RawBuilder<unknown>): Build<Values> =>
  (q, v) => ({ compile: () => statement(v).compile(q), execute: undefined as never });

export function createContactStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  const valuesOf = <Name extends string>(names: readonly Name[], v: (name: Name) => unknown) =>
    Object.fromEntries(names.map((name) => [name, v(name)])) as unknown as NewContactRow;
  const insert = db.prepare<NewContactRow, { row: number }>((q, v) =>
    q.insertInto("contacts").values(valuesOf(columns, v)).returning("row"),
  );
  // On SQLite an answer of an insert costs as much as the insert: the one writer can look for the next number itself.
  const insertAt = db.prepare<ContactRow>((q, v) => q.insertInto("contacts").values(valuesOf(["row", ...columns], v)));
  const lastRow = db.prepare<object, { row: number | null }>((q) => q.selectFrom("contacts").select(({ fn }) => fn.max("row").as("row")));
  const update = db.prepare<Omit<NewContactRow, "created_at" | "number">>((q, v) =>
    q
      .updateTable("contacts")
      .set(Object.fromEntries(changeable.map((column) => [column, v(column)])))
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id")),
  );
  const markSeen = db.prepare<{ env_id: number; id: string; last_seen_at: number | null; later_than: number }>((q, v) =>
    q
      .updateTable("contacts")
      .set({ last_seen_at: v("last_seen_at") })
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id"))
      .where(sql<boolean>`coalesce(last_seen_at, 0) < ${v("later_than")}`),
  );
  const byId = db.prepare<{ env_id: number; id: string }, ContactRow>((q, v) =>
    all(q).where("env_id", "=", v("env_id")).where("id", "=", v("id")),
  );
  const byNumber = db.prepare<{ env_id: number; number: number }, ContactRow>((q, v) =>
    all(q).where("env_id", "=", v("env_id")).where("number", "=", v("number")),
  );
  const byIdentity = Object.fromEntries(
    identities.map((name) => [
      name,
      db.prepare<{ env_id: number; value: string | number }, ContactRow>((q, v) =>
        all(q).where("env_id", "=", v("env_id")).where(name, "=", v("value")).where("deleted_at", "is", null),
      ),
    ]),
  );
  const idByIdentity = Object.fromEntries(
    identities.map((name) => [
      name,
      db.prepare<{ env_id: number; value: string | number }, { id: string }>((q, v) =>
        q
          .selectFrom("contacts")
          .select("id")
          .where("env_id", "=", v("env_id"))
          .where(name, "=", v("value"))
          .where("deleted_at", "is", null),
      ),
    ]),
  );
  const several = db.prepare<{ env_id: number; ids: string }, ContactRow>((q, v) =>
    all(q)
      .where("env_id", "=", v("env_id"))
      .where("id", "in", listOf(db.engine, v("ids")))
      .where("deleted_at", "is", null),
  );
  const byTelegramIds = db.prepare<{ env_id: number; ids: string }, ContactRow>((q, v) =>
    all(q)
      .where("env_id", "=", v("env_id"))
      .where("telegram_id", "in", sql<number>`(select cast(value as bigint) from ${listOf(db.engine, v("ids"))} as ids)`)
      .where("deleted_at", "is", null),
  );
  const addTag = db.prepare<{ env_id: number; tag: string; contact_row: number }>((q, v) =>
    q.insertInto("contact_tags").values({ env_id: v("env_id"), tag: v("tag"), contact_row: v("contact_row") }),
  );
  const removeTag = db.prepare<{ env_id: number; tag: string; contact_row: number }>((q, v) =>
    q.deleteFrom("contact_tags").where("env_id", "=", v("env_id")).where("tag", "=", v("tag")).where("contact_row", "=", v("contact_row")),
  );
  const count = db.prepare<TallyRow, { value: number }>((q, v) =>
    q
      .insertInto("tallies")
      .values({ env_id: v("env_id"), name: v("name"), value: v("value") })
      .onConflict((conflict) => conflict.columns(["env_id", "name"]).doUpdateSet({ value: sql`tallies.value + excluded.value` })),
  );
  const tally = db.prepare<Omit<TallyRow, "value">, { value: number }>((q, v) =>
    q.selectFrom("tallies").select("value").where("env_id", "=", v("env_id")).where("name", "=", v("name")),
  );
  // In one order, so that nobody waits for who waits for them.
  const lockAll = db.prepare<{ keys: string }>(
    raw(
      (v) =>
        sql`select pg_advisory_xact_lock(hashtextextended(key, 7421)) from (select value as key from json_array_elements_text(${v("keys")}::text::json) with ordinality order by ordinality) as keys`,
    ),
  );
  const forgetWords = db.prepare<{ row: number }>(raw((v) => sql`delete from contact_words where rowid = ${v("row")}`));
  const keepWords = isSqlite
    ? db.prepare<{ row: number; words: string }>(
        raw((v) => sql`insert into contact_words (rowid, words) values (${v("row")}, ${v("words")})`),
      )
    : db.prepare<{ row: number; words: string }>(
        raw(
          (v) =>
            sql`update contacts set words = array_to_tsvector(array(select json_array_elements_text(${v("words")}::text::json))) where row = ${v("row")}`,
        ),
      );

  /** On SQLite a search leads, or else a tag or a custom field, also one that a condition has, and what else is asked is looked up for what they find; PostgreSQL decides by itself. */
  function from(env_id: number, by: Narrowed) {
    const { words, tag, field } = by;
    const c = db.read.selectFrom("contacts as c").where("c.env_id", "=", env_id).where("c.deleted_at", "is", null);
    if (!isSqlite)
      return c
        .$if(words !== undefined, (q) => q.where(sql<boolean>`c.words @@ ${tsqueryOf(env_id, words!)}::tsquery`))
        .$if(tag !== undefined, (q) => q.where(tagPart(env_id, tag!).has(sql`c.row`)))
        .$if(field !== undefined, (q) => q.where(fieldPart(env_id, field!).has(sql`c.row`)))
        .$if(by.where !== undefined, (q) => q.where(compileCondition(db.engine, env_id, by.where!)));
    const lead = leadOf(env_id, by);
    const narrowed = by.where === undefined || lead?.isWhole === true ? undefined : compileCondition(db.engine, env_id, by.where);
    if (lead === undefined) return c.$if(narrowed !== undefined, (q) => q.where(narrowed!));
    const led = db.read
      .selectFrom(lead.rows.as("lead"))
      .crossJoin("contacts as c")
      .where(sql<boolean>`c.row = lead.row`)
      .where("c.env_id", "=", env_id)
      .where("c.deleted_at", "is", null) as unknown as typeof c;
    return led.$if(narrowed !== undefined, (q) => q.where(narrowed!));
  }

  const narrow = (env_id: number, by: Narrowed) =>
    from(env_id, by)
      .$if(by.created_after !== undefined, (q) => q.where("c.id", ">=", lowestId("ct", by.created_after!)))
      .$if(by.created_before !== undefined, (q) => q.where("c.id", "<", lowestId("ct", by.created_before!)))
      .$if(by.seen_after !== undefined, (q) => q.where("c.last_seen_at", ">=", by.seen_after!))
      .$if(by.seen_before !== undefined, (q) => q.where("c.last_seen_at", "<", by.seen_before!));

  /** From `after` on, which is not part of it. */
  function inOrder(env_id: number, by: Narrowed, sort: ContactSort, after: Place | null) {
    const led = isLed(by) || (isSqlite && leadingParts(by.where).parts.length > 0);
    const { column, direction } = orders[sort];
    const order = column === "id" && led ? sql.raw(isSqlite ? "lead.row" : "c.row") : sql.raw(`c.${column}`);
    const beyond = sql.raw(direction === "desc" ? "<" : ">");
    return (
      narrow(env_id, by)
        .$if(column === "last_seen_at", (q) => q.where("c.last_seen_at", "is not", null))
        .$if(after !== null && column === "id" && !led, (q) => q.where(sql<boolean>`c.id ${beyond} ${after!.id}`))
        // Rows and numbers are given in one order. The one of the page before may be gone by now.
        .$if(after !== null && column === "id" && led, (q) =>
          q.where(
            sql<boolean>`${order} ${beyond}= (select row from contacts where env_id = ${env_id} and number ${beyond} ${after!.at} order by number ${sql.raw(direction)} limit 1)`,
          ),
        )
        .$if(after !== null && column !== "id", (q) => q.where(sql<boolean>`(${order}, c.id) ${beyond} (${after!.at}, ${after!.id})`))
        .orderBy(order, direction)
        .$if(column !== "id", (q) => q.orderBy("c.id", direction))
    );
  }

  return {
    /** A page in an order; from `after` on, which is not part of it. */
    page(env_id: number, by: Narrowed, sort: ContactSort, after: Place | null, offset: number, most: number): Promise<ContactRow[]> {
      const query = inOrder(env_id, by, sort, after)
        .select(["c.row", ...columns.map((name) => `c.${name}` as const)])
        .offset(offset)
        .limit(most);
      return isLed(by) || by.where !== undefined || offset > OFFSET_QUICK_MAX || most > ROWS_QUICK_MAX ? db.slowly(query) : query.execute();
    },
    /** As `page` in the order of making, as lines of CSV. */
    csvPage(env_id: number, by: Narrowed, after: Place | null, most: number, shown: readonly ContactColumn[]): Promise<CsvPart> {
      const query = inOrder(env_id, by, "created_at", after)
        .select(shown.map(({ from, name }) => sql.ref(`c.${from}`).as(name)))
        .limit(most);
      return db.slowlyCsv(query, shown);
    },
    /** Exact for all of an environment's contacts; under a filter up to TOTAL_MAX. */
    async total(env_id: number, by: Narrowed): Promise<{ total: number; capped: boolean }> {
      if (Object.keys(by).length === 0) {
        const found = await tally.one(null, { env_id, name: "contacts" });
        return { total: found?.value ?? 0, capped: false };
      }
      const lead = isSqlite && isIndexed(by) ? leadOf(env_id, by) : undefined;
      // Who is deleted is in no index by words, tags or fields: their own rows need not be looked at.
      const all =
        lead?.isWhole === true ? (db.read.selectFrom(lead.rows.as("lead")) as unknown as ReturnType<typeof narrow>) : narrow(env_id, by);
      return countRows(db, all, true);
    },
    /** Two requests about one person must not miss each other; on SQLite writes are one after another anyway. */
    async lockIdentities(tx: Tx, env_id: number, ...given: Identities[]): Promise<void> {
      if (isSqlite) return;
      const keys = given.flatMap((of) =>
        identities.filter((name) => (of[name] ?? null) !== null).map((name) => `contact ${env_id} ${name} ${of[name]}`),
      );
      if (keys.length > 0) await lockAll.all(tx, { keys: JSON.stringify([...new Set(keys)].toSorted()) });
    },
    /** Who has this value of that identity. */
    byIdentity: (tx: Tx | null, env_id: number, name: string, value: string | number): Maybe<ContactRow | undefined> =>
      byIdentity[name]!.one(tx, { env_id, value }),
    /** As `byIdentity`, for those who ask for no more. */
    idOf(tx: Tx, env_id: number, name: Identity, value: string | number): Maybe<string | null> {
      const found = idByIdentity[name]!.one(tx, { env_id, value });
      return found instanceof Promise ? found.then((row) => row?.id ?? null) : (found?.id ?? null);
    },
    several: (tx: Tx, env_id: number, ids: readonly string[]): Maybe<ContactRow[]> => several.all(tx, { env_id, ids: JSON.stringify(ids) }),
    byTelegramIds: (tx: Tx, env_id: number, ids: readonly number[]): Maybe<ContactRow[]> =>
      byTelegramIds.all(tx, { env_id, ids: JSON.stringify(ids) }),
    byId: (tx: Tx | null, env_id: number, id: string): Maybe<ContactRow | undefined> => byId.one(tx, { env_id, id }),
    byNumber: (tx: Tx | null, env_id: number, number: number): Maybe<ContactRow | undefined> => byNumber.one(tx, { env_id, number }),
    /** A row that this transaction has read, as it is: on PostgreSQL it waits for whoever changes it, on SQLite nobody can. */
    hold: (tx: Tx, row: ContactRow): Maybe<ContactRow | undefined> =>
      isSqlite ? row : all(db.in(tx)).where("env_id", "=", row.env_id).where("id", "=", row.id).forUpdate().executeTakeFirst(),
    /** @returns the row's number in the search index */
    async insert(tx: Tx, row: NewContactRow): Promise<number> {
      if (!isSqlite) return (await insert.one(tx, row))!.row;
      const next = ((await lastRow.one(tx, {}))?.row ?? 0) + 1;
      insertAt.later(tx, { ...row, row: next });
      return next;
    },
    update: (tx: Tx, row: ContactRow): void => update.later(tx, row),
    markSeen: (tx: Tx, { env_id, id, last_seen_at }: ContactRow): void =>
      markSeen.later(tx, { env_id, id, last_seen_at, later_than: last_seen_at ?? 0 }),
    addTag: (tx: Tx, { env_id, row }: Pick<ContactRow, "env_id" | "row">, tag: string): void =>
      addTag.later(tx, { env_id, tag, contact_row: row }),
    removeTag: (tx: Tx, { env_id, row }: Pick<ContactRow, "env_id" | "row">, tag: string): void =>
      removeTag.later(tx, { env_id, tag, contact_row: row }),
    /** Makes a contact be found by these words. The environment is part of each, so that no search meets another's. */
    keepWords(tx: Tx, { row, env_id }: Pick<ContactRow, "row" | "env_id">, words: readonly string[]): void {
      const own = words.map((word) => `${env_id}_${word}`);
      if (isSqlite) forgetWords.later(tx, { row });
      if (isSqlite && own.length === 0) return;
      keepWords.later(tx, { row, words: isSqlite ? own.join(" ") : JSON.stringify(own) });
    },
    /** Adds to a number that the environment counts. @returns what it is now */
    async count(tx: Tx, env_id: number, name: "contacts" | "contact numbers", by: number): Promise<number> {
      count.later(tx, { env_id, name, value: by });
      return (await tally.one(tx, { env_id, name }))!.value;
    },
  };
}

/** Whether an index other than that of the order finds them. */
const isLed = ({ words, tag, field }: Narrowed) => words !== undefined || tag !== undefined || field !== undefined;

const indexed: ReadonlySet<string> = new Set(["words", "tag", "field", "where"]);
/** Whether nothing is asked but what such indexes and a condition know. */
const isIndexed = (by: Narrowed) => Object.keys(by).every((name) => indexed.has(name));

/** Rows that are passed over within a few milliseconds. */
const OFFSET_QUICK_MAX = 1_000;
/** Rows that are read within a few milliseconds: a page, and the one that tells of the next. */
const ROWS_QUICK_MAX = PAGE_MAX + 1;

const orders = {
  "-created_at": { column: "id", direction: "desc" },
  created_at: { column: "id", direction: "asc" },
  name: { column: "sort_name", direction: "asc" },
  "-last_seen_at": { column: "last_seen_at", direction: "desc" },
} as const satisfies Record<ContactSort, { column: string; direction: string }>;

/** https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY */
const tsqueryOf = (env_id: number, words: readonly string[]) => words.map((word) => `'${env_id}_${word}':*`).join(" & ");

function all(q: Database["read"]) {
  return q.selectFrom("contacts").select(["row", ...columns]);
}

export type { ContactRow };
export type ContactStore = ReturnType<typeof createContactStore>;
