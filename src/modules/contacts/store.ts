import { type RawBuilder, sql } from "kysely";
import type { Build, Database } from "#db/database.ts";
import type { ContactRow } from "#db/schema.ts";
import { lowestId } from "#src/core/ids.ts";
import { TOTAL_MAX } from "#src/core/page.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { identities, type Identities } from "./identity.ts";
import type { ContactSort } from "./model.ts";

export type NewContactRow = Omit<ContactRow, "row">;

/** What a list is narrowed by, read and checked. */
export interface Narrowed {
  /** Folded; each is a word or the beginning of one. */
  words?: readonly string[];
  tag?: string;
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

const columns = [
  "env_id",
  "id",
  "number",
  "external_id",
  "telegram_id",
  "username",
  "email",
  "phone",
  "name",
  "first_name",
  "last_name",
  "sort_name",
  "language",
  "timezone",
  "consent",
  "tags",
  "fields",
  "metadata",
  "last_seen_at",
  "deleted_at",
  "created_at",
  "updated_at",
] as const satisfies (keyof NewContactRow)[];

/** A statement that Kysely has no builder for. */
const raw =
  <Values extends object>(statement: (value: Parameters<Build<Values>>[1]) => RawBuilder<unknown>): Build<Values> =>
  (q, v) => ({ compile: () => statement(v).compile(q), execute: undefined as never });

export function createContactStore(db: Database) {
  const isSqlite = db.engine === "sqlite";
  const insert = db.prepare<NewContactRow, { row: number }>((q, v) =>
    q
      .insertInto("contacts")
      .values(Object.fromEntries(columns.map((column) => [column, v(column)])) as unknown as NewContactRow)
      .returning("row"),
  );
  const update = db.prepare<Omit<NewContactRow, "created_at" | "number">>((q, v) =>
    q
      .updateTable("contacts")
      .set(Object.fromEntries(changeable.map((column) => [column, v(column)])))
      .where("env_id", "=", v("env_id"))
      .where("id", "=", v("id")),
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
  const addTag = db.prepare<{ env_id: number; tag: string; contact_id: string }>((q, v) =>
    q.insertInto("contact_tags").values({ env_id: v("env_id"), tag: v("tag"), contact_id: v("contact_id") }),
  );
  const removeTag = db.prepare<{ env_id: number; tag: string; contact_id: string }>((q, v) =>
    q.deleteFrom("contact_tags").where("env_id", "=", v("env_id")).where("tag", "=", v("tag")).where("contact_id", "=", v("contact_id")),
  );
  const count = db.prepare<{ env_id: number; name: string; by: number }, { value: number }>(
    raw(
      (v) =>
        sql`insert into tallies (env_id, name, value) values (${v("env_id")}, ${v("name")}, ${v("by")}) on conflict (env_id, name) do update set value = tallies.value + excluded.value returning value`,
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

  /** A search or a tag leads, so that as few rows are looked at as it has. */
  function narrow(env_id: number, by: Narrowed) {
    const { words, tag } = by;
    return db.read
      .selectFrom("contacts as c")
      .where("c.env_id", "=", env_id)
      .where("c.deleted_at", "is", null)
      .$if(words !== undefined && isSqlite, (q) =>
        q.where(sql<boolean>`c.row in (select rowid from contact_words where contact_words match ${matchOf(env_id, words!)})`),
      )
      .$if(words !== undefined && !isSqlite, (q) => q.where(sql<boolean>`c.words @@ ${tsqueryOf(env_id, words!)}::tsquery`))
      .$if(tag !== undefined, (q) =>
        q.where("c.id", "in", (of) =>
          of.selectFrom("contact_tags").select("contact_id").where("env_id", "=", env_id).where("tag", "=", tag!),
        ),
      )
      .$if(by.created_after !== undefined, (q) => q.where("c.id", ">=", lowestId("ct", by.created_after!)))
      .$if(by.created_before !== undefined, (q) => q.where("c.id", "<", lowestId("ct", by.created_before!)))
      .$if(by.seen_after !== undefined, (q) => q.where("c.last_seen_at", ">=", by.seen_after!))
      .$if(by.seen_before !== undefined, (q) => q.where("c.last_seen_at", "<", by.seen_before!));
  }

  return {
    /** A page in an order; from `after` on, which is not part of it. */
    page(env_id: number, by: Narrowed, sort: ContactSort, after: Place | null, offset: number, most: number) {
      const { column, direction } = orders[sort];
      const beyond = direction === "desc" ? sql`<` : sql`>`;
      return narrow(env_id, by)
        .select(["c.row", ...columns.map((name) => `c.${name}` as const)])
        .$if(column === "last_seen_at", (q) => q.where("c.last_seen_at", "is not", null))
        .$if(after !== null && column === "id", (q) => q.where(sql<boolean>`c.id ${beyond} ${after!.id}`))
        .$if(after !== null && column !== "id", (q) =>
          q.where(sql<boolean>`(c.${sql.raw(column)}, c.id) ${beyond} (${after!.at}, ${after!.id})`),
        )
        .orderBy(`c.${column}`, direction)
        .$if(column !== "id", (q) => q.orderBy("c.id", direction))
        .offset(offset)
        .limit(most)
        .execute();
    },
    /** Exact for all of an environment's contacts; under a filter up to TOTAL_MAX. */
    async total(env_id: number, by: Narrowed): Promise<{ total: number; capped: boolean }> {
      if (Object.keys(by).length === 0) {
        const tally = await db.read
          .selectFrom("tallies")
          .select("value")
          .where("env_id", "=", env_id)
          .where("name", "=", "contacts")
          .executeTakeFirst();
        return { total: tally?.value ?? 0, capped: false };
      }
      const some = narrow(env_id, by)
        .select(sql<number>`1`.as("one"))
        .limit(TOTAL_MAX + 1);
      const [row] = await db.slowly(db.read.selectFrom(some.as("some")).select(({ fn }) => fn.countAll<number>().as("total")));
      const total = row?.total ?? 0;
      return total > TOTAL_MAX ? { total: TOTAL_MAX, capped: true } : { total, capped: false };
    },
    /** Two requests about one person must not miss each other; on SQLite writes are one after another anyway. */
    async lockIdentities(tx: Tx, env_id: number, given: Identities): Promise<void> {
      if (isSqlite) return;
      const keys = identities.filter((name) => (given[name] ?? null) !== null).map((name) => `contact ${env_id} ${name} ${given[name]}`);
      for (const key of keys.toSorted()) await sql`select pg_advisory_xact_lock(hashtextextended(${key}, 7421))`.execute(db.in(tx));
    },
    /** Who has this value of that identity. */
    byIdentity: (tx: Tx | null, env_id: number, name: string, value: string | number): Maybe<ContactRow | undefined> =>
      byIdentity[name]!.one(tx, { env_id, value }),
    byId: (tx: Tx | null, env_id: number, id: string): Maybe<ContactRow | undefined> => byId.one(tx, { env_id, id }),
    byNumber: (tx: Tx | null, env_id: number, number: number): Maybe<ContactRow | undefined> => byNumber.one(tx, { env_id, number }),
    /** On PostgreSQL the row waits for whoever changes it. */
    lock: (tx: Tx, env_id: number, id: string): Maybe<ContactRow | undefined> =>
      isSqlite
        ? byId.one(tx, { env_id, id })
        : all(db.in(tx)).where("env_id", "=", env_id).where("id", "=", id).forUpdate().executeTakeFirst(),
    /** @returns the row's number in the search index */
    insert: async (tx: Tx, row: NewContactRow): Promise<number> => (await insert.one(tx, row))!.row,
    update: (tx: Tx, row: ContactRow): void => update.later(tx, row),
    addTag: (tx: Tx, env_id: number, tag: string, contact_id: string): void => addTag.later(tx, { env_id, tag, contact_id }),
    removeTag: (tx: Tx, env_id: number, tag: string, contact_id: string): void => removeTag.later(tx, { env_id, tag, contact_id }),
    /** Makes a contact be found by these words. The environment is part of each, so that no search meets another's. */
    keepWords(tx: Tx, { row, env_id }: Pick<ContactRow, "row" | "env_id">, words: readonly string[]): void {
      const own = words.map((word) => `${env_id}_${word}`);
      if (isSqlite) forgetWords.later(tx, { row });
      if (isSqlite && own.length === 0) return;
      keepWords.later(tx, { row, words: isSqlite ? own.join(" ") : JSON.stringify(own) });
    },
    /** Adds to a number that the environment counts. @returns what it is now */
    count: async (tx: Tx, env_id: number, name: "contacts" | "contact numbers", by: number): Promise<number> =>
      (await count.one(tx, { env_id, name, by }))!.value,
  };
}

const changeable = columns.filter((column) => !["env_id", "id", "created_at", "number"].includes(column)) as Exclude<
  (typeof columns)[number],
  "env_id" | "id" | "created_at" | "number"
>[];

const orders = {
  "-created_at": { column: "id", direction: "desc" },
  created_at: { column: "id", direction: "asc" },
  name: { column: "sort_name", direction: "asc" },
  "-last_seen_at": { column: "last_seen_at", direction: "desc" },
} as const satisfies Record<ContactSort, { column: string; direction: string }>;

/** https://www.sqlite.org/fts5.html#fts5_prefix_queries */
const matchOf = (env_id: number, words: readonly string[]) => words.map((word) => `"${env_id}_${word}"*`).join(" ");
/** https://www.postgresql.org/docs/current/datatype-textsearch.html#DATATYPE-TSQUERY */
const tsqueryOf = (env_id: number, words: readonly string[]) => words.map((word) => `'${env_id}_${word}':*`).join(" & ");

function all(q: Database["read"]) {
  return q.selectFrom("contacts").select(["row", ...columns]);
}

export type { ContactRow };
export type ContactStore = ReturnType<typeof createContactStore>;
