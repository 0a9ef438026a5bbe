import { type Kysely, sql } from "kysely";
import type { Engine } from "#db/database.ts";

/** People: who the messages go to, their tags, their custom fields, and the words by which they are found. */
export async function contacts(db: Kysely<unknown>, engine: Engine): Promise<void> {
  const { schema } = db;
  const clustered = engine === "sqlite" ? sql`without rowid` : sql``;
  const live = sql.ref("deleted_at");

  const started = schema.createTable("contacts");
  // A number of the whole database, by which the search index names them in the order of their making.
  const numbered =
    engine === "sqlite"
      ? started.addColumn("row", "integer", (c) => c.primaryKey())
      : started.addColumn("row", "bigserial", (c) => c.notNull()).addColumn("words", sql`tsvector`);
  await numbered
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("id", "text", (c) => c.notNull())
    .addColumn("number", "bigint", (c) => c.notNull())
    .addColumn("external_id", "text")
    .addColumn("telegram_id", "bigint")
    .addColumn("username", "text")
    .addColumn("email", "text")
    .addColumn("phone", "text")
    .addColumn("name", "text")
    .addColumn("first_name", "text")
    .addColumn("last_name", "text")
    .addColumn("sort_name", "text", (c) => c.notNull())
    .addColumn("language", "text")
    .addColumn("timezone", "text")
    .addColumn("consent", "text")
    .addColumn("tags", "text", (c) => c.notNull())
    .addColumn("fields", "text", (c) => c.notNull())
    .addColumn("metadata", "text", (c) => c.notNull())
    .addColumn("last_seen_at", "bigint")
    .addColumn("deleted_at", "bigint")
    .addColumn("created_at", "bigint", (c) => c.notNull())
    .addColumn("updated_at", "bigint", (c) => c.notNull())
    .addUniqueConstraint("contacts_id", ["env_id", "id"])
    .addUniqueConstraint("contacts_number", ["env_id", "number"])
    .execute();
  for (const identity of ["external_id", "telegram_id", "username", "email", "phone"])
    await schema
      .createIndex(`contacts_${identity}`)
      .on("contacts")
      .columns(["env_id", identity])
      .unique()
      .where(sql.ref(identity), "is not", null)
      .where(live, "is", null)
      .execute();
  await schema.createIndex("contacts_name").on("contacts").columns(["env_id", "sort_name", "id"]).where(live, "is", null).execute();
  await schema
    .createIndex("contacts_seen")
    .on("contacts")
    .columns(["env_id", "last_seen_at", "id"])
    .where(live, "is", null)
    .where(sql.ref("last_seen_at"), "is not", null)
    .execute();
  if (engine === "sqlite")
    // Words come folded: the tokenizer only has to part them at spaces. https://www.sqlite.org/fts5.html#contentless_delete_tables
    await sql`create virtual table contact_words using fts5(words, content='', contentless_delete=1, detail=none, tokenize="ascii tokenchars '_'")`.execute(
      db,
    );
  else await schema.createIndex("contacts_words").on("contacts").using("gin").column("words").execute();

  await schema
    .createTable("contact_tags")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("tag", "text", (c) => c.notNull())
    .addColumn("contact_row", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("contact_tags_pk", ["env_id", "tag", "contact_row"])
    .modifyEnd(clustered)
    .execute();

  await schema
    .createTable("tallies")
    .addColumn("env_id", "integer", (c) => c.notNull())
    .addColumn("name", "text", (c) => c.notNull())
    .addColumn("value", "bigint", (c) => c.notNull())
    .addPrimaryKeyConstraint("tallies_pk", ["env_id", "name"])
    .modifyEnd(clustered)
    .execute();
}
